#include "controlplane/pipe/options.hpp"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "controlplane/pipe/usage.hpp"

namespace penstock::controlplane::pipe {
namespace {

constexpr double default_timeout = 5;
constexpr double default_resolve_every = 60;
constexpr double longest = 1e9;  // seconds: as good as for ever, and fits a clock

// Long options, as getopt_long returns them.
enum Long : int { long_syslog = 256, long_stdio, long_help, long_site_pipe };

constexpr std::array<option, 5> long_options{
    {{"syslog", no_argument, nullptr, long_syslog},
     {"stdio", no_argument, nullptr, long_stdio},
     {"help", no_argument, nullptr, long_help},
     {"site-pipe", required_argument, nullptr, long_site_pipe},
     {nullptr, 0, nullptr, 0}}};
constexpr std::array<option, 2> spiped_long_options{
    {{"syslog", no_argument, nullptr, long_syslog}, {nullptr, 0, nullptr, 0}}};
constexpr std::array<option, 1> no_long_options{{{nullptr, 0, nullptr, 0}}};

// '+': the first word that is no option ends them; ':': a missing argument is told apart.
constexpr const char* server_letters = "+:b:dDefFgjk:n:o:p:r:Rs:t:u:v";
constexpr const char* stdio_letters = "+:b:fgjk:o:t:v";

class Parser {
 public:
  explicit Parser(Dialect dialect) : dialect_(dialect) {}

  std::variant<Options, Reply> parse(std::vector<std::string>& arguments) {
    std::string name{to_string(dialect_)};
    std::vector<char*> words{name.data()};
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const int count = static_cast<int>(words.size()) - 1;
    ::opterr = 0;
    ::optind = 0;  // begins anew
    while (!reply_) {
      const int before = std::max(::optind, 1);
      const int found = next(count, words.data());
      if (found < 0) break;
      take(found, words[static_cast<std::size_t>(before)]);
    }
    if (!reply_ && ::optind != count) refuse();
    if (!reply_) finish();
    if (reply_) return std::move(*reply_);
    return std::move(options_);
  }

 private:
  int next(int count, char** words) const {
    const bool is_stdio = dialect_ == Dialect::spipe;
    const option* longs = long_options.data();
    if (dialect_ == Dialect::spiped) longs = spiped_long_options.data();
    if (is_stdio) longs = no_long_options.data();
    return ::getopt_long(count, words, is_stdio ? stdio_letters : server_letters, longs, nullptr);
  }

  // Every option may be given once; -v and --help answer at once.
  void take(int found, const std::string& word) {
    const std::string name =
        ::optopt > 0 && ::optopt < 256 ? std::string{'-', static_cast<char>(::optopt)} : word;
    if (found == '?') return refuse(fmt::format("illegal option -- {}", name));
    if (found == ':') return refuse(fmt::format("Missing argument to {}", name));
    if (found == 'v') return answer(version(dialect_), false);
    if (found == long_help) return answer(help(), true);
    // getopt_long takes the beginning of a long option for it; spiped does not.
    if (found >= long_syslog && word != "--syslog" && word != "--stdio" && word != "--site-pipe")
      return refuse(fmt::format("illegal option -- {}", word));
    if (is_given(found) || (found == 'd' && is_given('e')) || (found == 'e' && is_given('d')))
      return refuse();
    given_.push_back(found);
    if (::optarg != nullptr) take_argument(found, ::optarg);
  }

  void take_argument(int found, const std::string& text) {
    switch (found) {
      case 'b':
        options_.bind = text;
        break;
      case 'k':
        options_.key_file = text;
        break;
      case 'n':
        take_number(text);
        break;
      case 'o':
        timeout_ = seconds("-o", text).value_or(0);
        break;
      case 'p':
        options_.pid_file = text;
        break;
      case 'r':
        resolve_every_ = seconds("-r", text).value_or(0);
        break;
      case 's':
        options_.source = text;
        break;
      case 't':
        options_.target = text;
        break;
      case 'u':
        options_.user = text;
        break;
      case long_site_pipe:
        options_.site_pipe = text;
        break;
      default:
        break;
    }
  }

  void take_number(const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const unsigned long long value = std::strtoull(text.c_str(), &end, 0);
    if (end == text.c_str() || *end != '\0') errno = EINVAL;
    if (errno != 0) return refuse_argument("-n", text);
    options_.settings.max_connections = value;
  }

  std::optional<double> seconds(std::string_view letter, const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0') errno = EINVAL;
    if (errno == 0 && value < 0) errno = ERANGE;
    if (errno == 0) return value;
    refuse_argument(letter, text);
    return std::nullopt;
  }

  // As spiped does: 0 stands for the default.
  void finish() {
    const bool is_stdio = dialect_ == Dialect::spipe || is_given(long_stdio);
    if (timeout_ == 0) timeout_ = default_timeout;
    if (resolve_every_ == 0) resolve_every_ = default_resolve_every;
    const bool is_wrong =
        std::isnan(timeout_) || std::isnan(resolve_every_) || (is_given('f') && is_given('g')) ||
        !is_given('k') || !is_given('t') ||
        (resolve_every_ != default_resolve_every && is_given('R')) ||
        (is_stdio ? has_more_than_stdio() : !(is_given('d') || is_given('e')) || !is_given('s'));
    if (is_wrong) return refuse();
    Settings& settings = options_.settings;
    settings.role = is_given('d') ? Role::server : Role::client;
    settings.secrecy = {.is_forward = !is_given('f'), .is_required = is_given('g')};
    settings.keeps_alive = !is_given('j');
    settings.timeout = milliseconds(timeout_);
    options_.resolve_every =
        is_given('R') ? std::chrono::milliseconds{0} : milliseconds(resolve_every_);
    options_.is_daemon = !is_given('F') && !is_stdio;
    options_.waits_for_names = is_given('D');
    options_.logs_to_syslog = is_given(long_syslog) && options_.is_daemon;
    if (!is_given('p')) options_.pid_file = options_.source + ".pid";
  }

  [[nodiscard]] bool has_more_than_stdio() const {
    return std::ranges::any_of(given_, [](int found) {
      return found != long_stdio &&
             (found > 255 || std::string_view{stdio_letters}.find(static_cast<char>(found)) ==
                                 std::string_view::npos);
    });
  }

  static std::chrono::milliseconds milliseconds(double seconds) {
    return std::chrono::milliseconds{
        std::max(1LL, std::llround(std::min(seconds, longest) * 1000))};
  }

  [[nodiscard]] bool is_given(int found) const {
    return std::ranges::find(given_, found) != given_.end();
  }
  void answer(std::string text, bool is_help) {
    reply_ = Reply{.text = std::move(text), .exit_code = 0, .is_help = is_help};
  }
  void refuse() { reply_ = Reply{.text = usage(dialect_)}; }
  void refuse(const std::string& sentence) {
    reply_ =
        Reply{.text = fmt::format("{}: {}\n{}", to_string(dialect_), sentence, usage(dialect_))};
  }
  void refuse_argument(std::string_view letter, const std::string& text) {
    reply_ =
        Reply{.text = fmt::format("{}: Error parsing argument: {} {}: {}\n", to_string(dialect_),
                                  letter, text, ::strerrordesc_np(errno))};
  }

  Dialect dialect_;
  Options options_;
  std::optional<Reply> reply_;
  std::vector<int> given_;
  double timeout_ = 0;
  double resolve_every_ = 0;
};

}  // namespace

std::variant<Options, Reply> parse_options(std::vector<std::string> arguments, Dialect dialect) {
  return Parser{dialect}.parse(arguments);
}

}  // namespace penstock::controlplane::pipe

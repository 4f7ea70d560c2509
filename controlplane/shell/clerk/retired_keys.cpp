#include "controlplane/shell/clerk/retired_keys.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "penstock/base/unique_fd.hpp"

namespace penstock::controlplane::clerk {
namespace {

using crypto::KeyFingerprint;

constexpr std::size_t digits = 2 * sizeof(KeyFingerprint);
// One a rotation: the oldest are of keys that nobody has in a config any more.
constexpr std::size_t most = 256;

std::optional<unsigned> digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  return std::nullopt;
}

std::optional<KeyFingerprint> parse(std::string_view line) {
  KeyFingerprint key{};
  if (line.size() != digits) return std::nullopt;
  for (std::size_t at = 0; at < key.size(); ++at) {
    const auto high = digit_value(line[2 * at]);
    const auto low = digit_value(line[2 * at + 1]);
    if (!high || !low) return std::nullopt;
    key[at] = static_cast<std::byte>(*high << 4 | *low);
  }
  return key;
}

// Empty when it has a line that is none of ours.
std::optional<std::vector<KeyFingerprint>> parse_all(std::string_view text) {
  std::vector<KeyFingerprint> keys;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    const auto key = parse(text.substr(0, end));
    if (!key) return std::nullopt;
    keys.push_back(*key);
    text.remove_prefix(end + 1);
  }
  return keys;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

bool write_new_file(const std::filesystem::path& file, std::string_view text) {
  ::unlink(file.c_str());  // of a clerk that died here
  const UniqueFd fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  return fd && write_all(fd.get(), text) && ::fsync(fd.get()) == 0;
}

// A new name is on disk only when its directory is.
bool sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return fd && ::fsync(fd.get()) == 0;
}

}  // namespace

Result<void> probe_state_dir(const std::filesystem::path& state_dir) {
  const std::filesystem::path file = state_dir / ".probe";  // no peer has such a name
  const bool is_written = write_new_file(file, std::string(digits, '0'));
  const int why = errno;
  ::unlink(file.c_str());
  if (is_written) return {};
  return fail_errno(
      fmt::format("an old_key_file needs a state_dir that can be written, to retire the old key "
                  "for good: mend {}, or take old_key_file out",
                  state_dir.string()),
      why);
}

Result<RetiredKeys> RetiredKeys::read(const std::filesystem::path& state_dir,
                                      std::string_view peer) {
  RetiredKeys retired{state_dir / (std::string{peer} + ".retired")};
  const std::string name = retired.file_.string();
  const UniqueFd fd{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd && errno == ENOENT) return retired;
  if (!fd) return fail_errno("cannot read which keys are retired in " + name, errno);
  std::array<char, (most + 1) * (digits + 1)> text{};
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0) return fail_errno("cannot read which keys are retired in " + name, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  auto keys = parse_all({text.data(), size});
  if (!keys || keys->size() > most) {
    return fail(ErrorKind::key,
                fmt::format("{} should name retired keys, {} digits a line, and does not: mend it, "
                            "or remove it to accept every key of the config again",
                            name, digits));
  }
  retired.keys_ = std::move(*keys);
  return retired;
}

bool RetiredKeys::has(const KeyFingerprint& key) const {
  return std::ranges::find(keys_, key) != keys_.end();
}

Result<void> RetiredKeys::add(const KeyFingerprint& key) {
  if (has(key)) return {};
  if (keys_.size() == most) keys_.erase(keys_.begin());
  keys_.push_back(key);
  return write();
}

Result<std::size_t> RetiredKeys::remove(std::span<const KeyFingerprint> keys) {
  const std::size_t count = std::erase_if(
      keys_, [&](const KeyFingerprint& key) { return std::ranges::find(keys, key) != keys.end(); });
  if (count == 0) return count;
  if (auto written = write(); !written) return std::unexpected{written.error()};
  return count;
}

Result<void> RetiredKeys::write() const {
  std::string text;
  for (const KeyFingerprint& key : keys_) text += to_hex(key) + '\n';
  std::filesystem::path next = file_;
  next += ".next";
  if (!write_new_file(next, text) || ::rename(next.c_str(), file_.c_str()) != 0 ||
      !sync_directory(file_.parent_path())) {
    return fail_errno(fmt::format("cannot write down which keys are retired in {}", file_.string()),
                      errno);
  }
  return {};
}

}  // namespace penstock::controlplane::clerk

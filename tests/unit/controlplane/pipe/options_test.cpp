#include "controlplane/pipe/options.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace penstock::controlplane::pipe {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> words(const std::string& line) {
  std::istringstream in{line};
  std::vector<std::string> found;
  for (std::string word; in >> word;) found.push_back(word);
  return found;
}

std::variant<Options, Reply> parse(const std::string& line, Dialect dialect = Dialect::spiped) {
  return parse_options(words(line), dialect);
}

constexpr const char* least = "-e -s [::1]:1 -t host:2 -k file ";

Options good(const std::string& line, Dialect dialect = Dialect::spiped) {
  auto parsed = parse(line, dialect);
  EXPECT_TRUE(std::holds_alternative<Options>(parsed)) << line;
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options{};
}

Reply said(const std::string& line, Dialect dialect = Dialect::spiped) {
  auto parsed = parse(line, dialect);
  EXPECT_TRUE(std::holds_alternative<Reply>(parsed)) << line;
  return std::holds_alternative<Reply>(parsed) ? std::get<Reply>(parsed) : Reply{};
}

TEST(PipeOptions, DefaultsAreSpipeds) {
  const Options options = good(least);
  EXPECT_EQ(options.settings.role, Role::client);
  EXPECT_TRUE(options.settings.secrecy.is_forward);
  EXPECT_FALSE(options.settings.secrecy.is_required);
  EXPECT_TRUE(options.settings.keeps_alive);
  EXPECT_EQ(options.settings.max_connections, 100);
  EXPECT_EQ(options.settings.timeout, 5s);
  EXPECT_EQ(options.resolve_every, 60s);
  EXPECT_TRUE(options.is_daemon);
  EXPECT_FALSE(options.waits_for_names);
  EXPECT_EQ(options.pid_file, "[::1]:1.pid");
  EXPECT_EQ(options.source, "[::1]:1");
  EXPECT_EQ(options.target, "host:2");
  EXPECT_EQ(options.key_file, "file");
  EXPECT_EQ(options.bind + options.user, "");
}

TEST(PipeOptions, StandTogetherAsGetoptTakesThem) {
  const Options options = good("-dFDgj -n7 -s/a -t/b -k- -o.25 -r1e2 -u:www -pfile -b192.0.2.1");
  EXPECT_EQ(options.settings.role, Role::server);
  EXPECT_TRUE(options.settings.secrecy.is_required);
  EXPECT_FALSE(options.settings.keeps_alive);
  EXPECT_EQ(options.settings.max_connections, 7);
  EXPECT_EQ(options.settings.timeout, 250ms);
  EXPECT_EQ(options.resolve_every, 100s);
  EXPECT_FALSE(options.is_daemon);
  EXPECT_TRUE(options.waits_for_names);
  EXPECT_EQ(options.key_file, "-");
  EXPECT_EQ(options.user, ":www");
  EXPECT_EQ(options.pid_file, "file");
  EXPECT_EQ(options.bind, "192.0.2.1");
}

TEST(PipeOptions, NumbersAreReadAsSpipedReadsThem) {
  EXPECT_EQ(good(std::string{least} + "-n 0").settings.max_connections, 0);
  EXPECT_EQ(good(std::string{least} + "-n 0x10").settings.max_connections, 16);
  EXPECT_EQ(good(std::string{least} + "-n 501").settings.max_connections, 501);
  EXPECT_EQ(good(std::string{least} + "-o 0").settings.timeout, 5s);
  EXPECT_GT(good(std::string{least} + "-o inf").settings.timeout, 24h);
  EXPECT_EQ(good(std::string{least} + "-o 1e-9").settings.timeout, 1ms);
  EXPECT_EQ(good(std::string{least} + "-r 0 -R").resolve_every, 0s);
  EXPECT_EQ(good(std::string{least} + "-r 60 -R").resolve_every, 0s);
  for (const char* wrong :
       {"-n x", "-n 10x", "-n 99999999999999999999", "-o -1", "-o x", "-r -3"}) {
    const Reply reply = said(std::string{least} + wrong);
    EXPECT_EQ(reply.exit_code, 1) << wrong;
    EXPECT_EQ(reply.text.find("spiped: Error parsing argument: "), 0) << reply.text;
  }
}

TEST(PipeOptions, WhatSpipedRefusesIsRefused) {
  for (const char* wrong :
       {"-e", "-d", "-F -F", "-R -R", "-f -g", "-r 5 -R", "more", "-n 1 -n 2", "-k other", "-o nan",
        "-x", "--syslo", "--help", "--stdio", "--site-pipe a", "-o"}) {
    const Reply reply = said(std::string{least} + wrong);
    EXPECT_EQ(reply.exit_code, 1) << wrong;
    EXPECT_NE(reply.text.find("usage: spiped {-e | -d}"), std::string::npos) << wrong;
    EXPECT_FALSE(reply.is_help);
  }
  for (const char* lacking :
       {"", "-e", "-s a:1 -t b:2 -k f", "-e -t b:2 -k f", "-e -s a:1 -k f", "-e -s a:1 -t b:2"})
    EXPECT_EQ(said(lacking).exit_code, 1) << lacking;
}

TEST(PipeOptions, AnswersComeAtOnce) {
  EXPECT_EQ(said("-v -x").exit_code, 0);
  EXPECT_EQ(said("-x -v").exit_code, 1);
  EXPECT_EQ(said("-d -e -v").exit_code, 1);
  EXPECT_EQ(said("word -v").exit_code, 1);
  const Reply help = said("--help", Dialect::penstock_pipe);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.is_help);
}

TEST(PipeOptions, SyslogIsForDaemons) {
  EXPECT_TRUE(good(std::string{least} + "--syslog").logs_to_syslog);
  EXPECT_FALSE(good(std::string{least} + "--syslog -F").logs_to_syslog);
}

TEST(PipeOptions, OnStandardInputAndOutputFewAreLeft) {
  for (const auto& [dialect, line] :
       {std::pair{Dialect::spipe, "-t a:1 -k f -gj -o 2 -b ::1"},
        std::pair{Dialect::penstock_pipe, "--stdio -t a:1 -k f -gj -o 2 -b ::1"}}) {
    const Options options = good(line, dialect);
    EXPECT_EQ(options.source, "");
    EXPECT_EQ(options.settings.role, Role::client);
    EXPECT_EQ(options.settings.timeout, 2s);
    EXPECT_TRUE(options.settings.secrecy.is_required);
    EXPECT_FALSE(options.settings.keeps_alive);
    EXPECT_FALSE(options.is_daemon);
  }
  EXPECT_EQ(said("-t a:1 -k f -n 3", Dialect::spipe).exit_code, 1);
  for (const char* wrong : {"-e", "-d", "-s a:1", "-n 3", "-F", "-D", "-R", "-u a", "--syslog"})
    EXPECT_EQ(said(std::string{"--stdio -t a:1 -k f "} + wrong, Dialect::penstock_pipe).exit_code,
              1)
        << wrong;
}

}  // namespace
}  // namespace penstock::controlplane::pipe

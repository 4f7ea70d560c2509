// The key file of a pipe, by spiped's rules: any bytes, of any file.
#pragma once

#include <string>

#include "penstock/base/error.hpp"
#include "penstock/crypto/key_schedule.hpp"

namespace penstock::controlplane::pipe {

struct PipeKey {
  crypto::FileKey key;  // K = SHA256(file)
  std::string warning;  // what our own rules for key files have against it, if anything
};
// "-" is standard input.
[[nodiscard]] Result<PipeKey> read_pipe_key(const std::string& file);

}  // namespace penstock::controlplane::pipe

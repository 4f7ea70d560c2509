// The same frames through OpenSSL's EVP interface, one at a time: contexts made once, keys set
// once, a new counter block or nonce for each frame.
#pragma once

#include <memory>
#include <string_view>

#include <openssl/evp.h>

#include "contest.hpp"
#include "frame_pool.hpp"
#include "penstock/base/suite.hpp"

namespace penstock::bench {

class Evp {
 public:
  // Uses the keys of SA 0. `protection` is not NULL.
  Evp(Protection protection, FrameShape shape, Direction direction);

  // The frames' headers are written. Stops the program when a tag does not hold.
  void run(Frames frames);

 private:
  void set_keys(std::string_view cipher);
  void set_mac_key(const char* digest);
  void run_ctr_hmac(std::byte* frame);
  void run_aead(std::byte* frame);
  void cipher_ctr(std::byte* frame);
  void authenticate(std::byte* frame);

  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };

  Protection protection_;
  FrameShape shape_;
  Direction direction_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> cipher_;
  std::unique_ptr<EVP_MAC_CTX, Free> mac_;
};

}  // namespace penstock::bench

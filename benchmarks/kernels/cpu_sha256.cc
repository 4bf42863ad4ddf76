// SHA-256 by Nettle, which uses the CPU's SHA instructions where the guest shows them.
#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {
namespace {

using Digest = std::array<std::uint8_t, SHA256_DIGEST_SIZE>;

// In pieces of `piece` bytes: the digest must not depend on it.
Digest Sha256(std::span<const std::uint8_t> message, std::size_t piece) {
  sha256_ctx state;
  sha256_init(&state);
  while (!message.empty()) {
    const auto next = message.first(std::min(piece, message.size()));
    sha256_update(&state, next.size(), next.data());
    message = message.subspan(next.size());
  }
  Digest digest;
  sha256_digest(&state, digest.size(), digest.data());
  return digest;
}

// FIPS 180-4, the example "abc".
void CheckKnownAnswer() {
  constexpr std::array<std::uint8_t, 3> kMessage = {'a', 'b', 'c'};
  constexpr Digest kAnswer = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                              0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                              0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  if (Sha256(kMessage, kMessage.size()) != kAnswer) {
    throw WrongResult("the digest of \"abc\" is not that of FIPS 180-4");
  }
}

class Sha256Kernel : public Kernel {
 public:
  void Prepare(const Context& context) override {
    message_.resize(context.Number("message_kib") * kKiB);
    Random random(context.seed());
    for (std::uint8_t& byte : message_) byte = static_cast<std::uint8_t>(random.Next());
  }

  // The message begins with the number of the iteration, so that no digest can stand for another.
  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      std::memcpy(message_.data(), &i, sizeof(i));
      digest_ = Sha256(message_, message_.size());
      KeepAlive(digest_);
    }
  }

  void Verify() override {
    constexpr std::size_t kOddPiece = 61;  // no multiple of SHA-256's block of 64 bytes
    CheckKnownAnswer();
    if (digest_ != Sha256(message_, kOddPiece)) throw WrongResult("the last digest is wrong");
    digest_.fill(0);
  }

  Work WorkPerIteration() const override { return {.items = 1, .bytes = message_.size()}; }

 private:
  std::vector<std::uint8_t> message_;
  Digest digest_{};
};

HVBENCH_KERNEL(Sha256Kernel, .name = "cpu/sha256", .summary = "SHA-256 of a message, by Nettle",
               .unit = "message",
               .parameter_sets = {{kSmoke | kFull, {{"message_kib", "1"}}},
                                  {kReal, {{"message_kib", "64"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

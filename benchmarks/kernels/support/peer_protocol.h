// What a network kernel and its peer say to each other. Both are the same binary, so that a struct
// is a format. A connection begins with a PeerHello of the kernel's side; what follows depends on
// its operation:
//   kReceive  (a count, that many messages from the kernel's side, the count of right ones back)*
//   kSend     (a count, that many messages from the peer)*
//   kAnswer   (a message of `message_bytes`, an answer of `answer_bytes`)*
//   kClose    an answer of `answer_bytes`, after which the peer closes the connection
//   kDatagramsIn   (a count, a burst to the peer)*     bursts are in datagrams.h
//   kDatagramsOut  (a count, a burst from the peer, the count of sent ones from it)*
// Counts are 8 bytes. The peer believes nothing: sizes are bounded, and whatever breaks the rules
// ends its connection alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

enum class PeerOperation : std::uint32_t {
  kReceive = 1,
  kSend,
  kAnswer,
  kClose,
  kDatagramsIn,
  kDatagramsOut,
};

inline constexpr std::uint32_t kPeerMagic = 0x50425648;  // "HVBP"
inline constexpr std::size_t kMaxPeerMessageBytes = 1 << 20;
inline constexpr std::uint64_t kMaxIntervalNs = 1'000'000'000;

struct PeerHello {
  std::uint32_t magic = kPeerMagic;
  PeerOperation operation = PeerOperation::kReceive;
  std::uint32_t message_bytes = 1;
  std::uint32_t answer_bytes = 1;
  std::uint64_t seed = 0;
  std::uint64_t interval_ns = 0;  // of datagrams: between two; 0: as fast as they are received

  bool IsValid() const {
    return interval_ns <= kMaxIntervalNs && magic == kPeerMagic &&
           operation >= PeerOperation::kReceive && operation <= PeerOperation::kDatagramsOut &&
           message_bytes >= 1 && message_bytes <= kMaxPeerMessageBytes && answer_bytes >= 1 &&
           answer_bytes <= kMaxPeerMessageBytes;
  }
};

// Up to 8 bytes at the beginning of `bytes` that depend on all of `value`.
inline void PutMark(std::span<std::byte> bytes, std::uint64_t value) {
  const std::uint64_t mark = Mix(value);
  std::memcpy(bytes.data(), &mark, std::min(bytes.size(), sizeof(mark)));
}

inline bool HasMark(std::span<const std::byte> bytes, std::uint64_t value) {
  const std::uint64_t mark = Mix(value);
  return std::memcmp(bytes.data(), &mark, std::min(bytes.size(), sizeof(mark))) == 0;
}

// The mark of the answer to a message whose mark is of `value`.
constexpr std::uint64_t AnswerTo(std::uint64_t value) { return ~value; }

// A message of a stream: the seed's random bytes, with the message's number marked at both ends.
class StreamMessage {
 public:
  StreamMessage(std::size_t size, std::uint64_t seed)
      : seed_(seed), bytes_(size), untouched_(size) {
    Random random(seed);
    for (std::byte& byte : untouched_) byte = static_cast<std::byte>(random.Next());
    bytes_ = untouched_;
  }

  std::span<std::byte> bytes() { return bytes_; }

  void Number(std::uint64_t number) {
    PutMark(bytes(), seed_ + number);
    PutMark(Tail(bytes()), seed_ - number);
  }

  // Whether what was received into it is message `number`: both marks, and 8 bytes between them
  // at a place that differs from message to message. Three cache misses.
  bool IsNumber(std::uint64_t number) const {
    const std::span<const std::byte> all(bytes_);
    if (!HasMark(Tail(all), seed_ - number)) return false;
    if (all.size() < 3 * kMarkBytes) return true;
    const std::size_t at = kMarkBytes + Mix(number) % (all.size() - 3 * kMarkBytes + 1);
    return HasMark(all, seed_ + number) &&
           std::memcmp(&bytes_[at], &untouched_[at], kMarkBytes) == 0;
  }

 private:
  static constexpr std::size_t kMarkBytes = 8;

  template <typename Bytes>
  static Bytes Tail(Bytes bytes) {
    return bytes.last(std::min(bytes.size(), kMarkBytes));
  }

  std::uint64_t seed_;
  std::vector<std::byte> bytes_;
  std::vector<std::byte> untouched_;
};

}  // namespace hvbench::agent::kernels

// Reproducible input data: the same seed gives the same data in every guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace hvbench::agent::kernels {

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
constexpr std::uint64_t Mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }
  // Below `bound`, which is at most 2^32. The bias is at most bound / 2^64.
  std::uint64_t Below(std::uint64_t bound) { return ((Next() >> 32) * bound) >> 32; }

 private:
  std::uint64_t state_;
};

// Fisher and Yates; at most 2^32 elements.
template <typename T>
void Shuffle(std::span<T> items, Random& random) {
  for (std::size_t left = items.size(); left > 1; --left) {
    std::swap(items[left - 1], items[random.Below(left)]);
  }
}

}  // namespace hvbench::agent::kernels

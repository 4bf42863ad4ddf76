// How many iterations of a batch had the right result. For kernels whose work leaves no data behind
// that could be checked afterwards.
#pragma once

#include <cstdint>
#include <string>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {

class Tally {
 public:
  // A batch whose step says whether its result was right.
  template <typename Step>
  void Run(std::uint64_t iterations, Step&& step) {
    std::uint64_t right = 0;
    for (std::uint64_t i = 0; i < iterations; ++i) right += step() ? 1u : 0u;
    Record(iterations, right);
  }

  // At the end of Run: of `wanted` results, `right` were as they should be.
  void Record(std::uint64_t wanted, std::uint64_t right) {
    wanted_ = wanted;
    right_ = right;
  }

  // Consumes the record: without a Run in between, the next Verify fails.
  void Verify(const std::string& what) {
    const std::uint64_t wanted = wanted_;
    const std::uint64_t right = right_;
    wanted_ = right_ = 0;
    if (wanted == 0) throw WrongResult(what + ": nothing was run");
    if (right != wanted) {
      throw WrongResult(what + ": " + std::to_string(right) + " right results of " +
                        std::to_string(wanted));
    }
  }

 private:
  std::uint64_t wanted_ = 0;
  std::uint64_t right_ = 0;
};

}  // namespace hvbench::agent::kernels

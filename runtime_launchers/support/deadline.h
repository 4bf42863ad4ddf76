// A point in time that a wait must not pass.
#pragma once

#include <chrono>

namespace hvbench {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline In(Clock::duration duration) { return Deadline(Clock::now() + duration); }
  explicit Deadline(Clock::time_point when) : when_(when) {}
  Deadline() = default;  // passed already

  Clock::time_point when() const { return when_; }
  bool Passed() const { return Clock::now() >= when_; }
  // At least 0.
  Clock::duration Remaining() const {
    return std::max(when_ - Clock::now(), Clock::duration::zero());
  }
  // For poll(2): rounded up, at least 0.
  int RemainingMs() const {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(Remaining()).count());
  }

 private:
  Clock::time_point when_{};
};

}  // namespace hvbench

// Integer work in a loop with predictable branches: counts primes with a segmented sieve.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

// pi(limit), the number of primes up to `limit`: https://oeis.org/A006880.
std::uint64_t KnownCount(std::uint64_t limit) {
  constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 4> kKnown = {
      {{10'000, 1'229}, {100'000, 9'592}, {1'000'000, 78'498}, {10'000'000, 664'579}}};
  for (const auto& [known_limit, count] : kKnown) {
    if (known_limit == limit) return count;
  }
  throw std::invalid_argument("the number of primes up to this limit is not known");
}

class Primes : public Kernel {
 public:
  void Prepare(const Context& context) override {
    limit_ = context.Number("limit");
    known_count_ = KnownCount(limit_);
    composite_.resize(kSegment);
  }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] { return Count() == known_count_; });
  }

  void Verify() override { tally_.Verify("counts of primes"); }
  Work WorkPerIteration() const override { return {.items = limit_}; }

 private:
  static constexpr std::uint64_t kSegment =
      16'384;  // odd numbers, a byte each: half of an L1 cache

  struct BasePrime {
    std::uint64_t prime;
    std::uint64_t next;  // its next odd multiple to strike, as an index (number / 2)
  };

  // Odd primes up to the square root of the limit, by trial division.
  void FindBasePrimes() {
    base_.clear();
    for (std::uint64_t candidate = 3; candidate * candidate <= limit_; candidate += 2) {
      const bool is_prime = std::none_of(base_.begin(), base_.end(), [&](const BasePrime& base) {
        return candidate % base.prime == 0;
      });
      if (is_prime) base_.push_back({candidate, candidate * candidate / 2});
    }
  }

  // Index i stands for the odd number 2 i + 1; the index 0, the number 1, counts for the prime 2.
  std::uint64_t Count() {
    FindBasePrimes();
    const std::uint64_t odds = (limit_ + 1) / 2;
    std::uint64_t count = 0;
    for (std::uint64_t low = 0; low < odds; low += kSegment) {
      const std::uint64_t high = std::min(low + kSegment, odds);
      std::fill(composite_.begin(), composite_.end(), std::uint8_t{0});
      for (BasePrime& base : base_) {
        for (; base.next < high; base.next += base.prime) composite_[base.next - low] = 1;
      }
      const auto end = composite_.begin() + static_cast<std::ptrdiff_t>(high - low);
      count += static_cast<std::uint64_t>(std::count(composite_.begin(), end, std::uint8_t{0}));
    }
    return count;
  }

  std::uint64_t limit_ = 0;
  std::uint64_t known_count_ = 0;
  std::vector<std::uint8_t> composite_;
  std::vector<BasePrime> base_;
  Tally tally_;
};

HVBENCH_KERNEL(Primes, .name = "cpu/primes",
               .summary = "Counts the primes up to a limit with a segmented sieve",
               .unit = "number",
               .parameter_sets = {{kSmoke, {{"limit", "10000"}}},
                                  {kReal, {{"limit", "1000000"}}},
                                  {kFull, {{"limit", "10000000"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

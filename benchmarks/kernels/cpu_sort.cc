// Sorts 64-bit integers: comparisons that no predictor knows, in memory that the cache holds.
#include <algorithm>
#include <vector>

#include "benchmarks/kernels/support/random.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

// Equal for two orders of the same numbers, and hardly ever otherwise.
std::uint64_t Fingerprint(const std::vector<std::uint64_t>& numbers) {
  std::uint64_t sum = 0;
  for (const std::uint64_t number : numbers) sum += Mix(number);
  return sum;
}

class Sort : public Kernel {
 public:
  void Prepare(const Context& context) override {
    shuffled_.resize(context.Number("elements"));
    Random random(context.seed());
    for (std::uint64_t& number : shuffled_) number = random.Next();
    numbers_ = shuffled_;
    fingerprint_ = Fingerprint(shuffled_);
  }

  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      std::copy(shuffled_.begin(), shuffled_.end(), numbers_.begin());
      std::sort(numbers_.begin(), numbers_.end());
      KeepAlive(numbers_.data());
    }
  }

  void Verify() override {
    if (!std::is_sorted(numbers_.begin(), numbers_.end())) throw WrongResult("not sorted");
    if (Fingerprint(numbers_) != fingerprint_) throw WrongResult("sorting changed the numbers");
    numbers_ = shuffled_;
  }

  Work WorkPerIteration() const override { return {.items = shuffled_.size()}; }

 private:
  std::vector<std::uint64_t> shuffled_;
  std::vector<std::uint64_t> numbers_;
  std::uint64_t fingerprint_ = 0;
};

HVBENCH_KERNEL(Sort, .name = "cpu/sort", .summary = "std::sort of random 64-bit integers",
               .unit = "element",
               .parameter_sets = {{kSmoke, {{"elements", "1000"}}},
                                  {kReal, {{"elements", "65536"}}},
                                  {kFull, {{"elements", "262144"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

// A kernel of this project's own: integer arithmetic with branches that are hard to predict.
#include <fixtures/agent/kernel.h>

#include <string>

namespace {

using hvbench::agent::kReal;
using hvbench::agent::kSmoke;

class Collatz : public hvbench::agent::Kernel {
 public:
  void Prepare(const hvbench::agent::Context& context) override {
    limit_ = context.Number("limit");
  }

  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      longest_ = LongestStart(limit_);
      hvbench::agent::KeepAlive(longest_);
    }
  }

  // The start below the limit with the longest sequence: OEIS A006877.
  void Verify() override {
    const std::uint64_t expected = limit_ == 100 ? 97 : 871;
    if (longest_ != expected) {
      throw hvbench::agent::WrongResult("longest from " + std::to_string(longest_) + ", not " +
                                        std::to_string(expected));
    }
  }

  hvbench::agent::Work WorkPerIteration() const override { return {.items = limit_}; }

 private:
  static std::uint64_t LongestStart(std::uint64_t limit) {
    std::uint64_t best_start = 1;
    std::uint64_t best_steps = 0;
    for (std::uint64_t start = 1; start < limit; ++start) {
      std::uint64_t steps = 0;
      for (std::uint64_t n = start; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) ++steps;
      if (steps > best_steps) {
        best_steps = steps;
        best_start = start;
      }
    }
    return best_start;
  }

  std::uint64_t limit_ = 0;
  std::uint64_t longest_ = 0;
};

HVBENCH_KERNEL(Collatz, .name = "cpu/collatz",
               .summary = "The longest Collatz sequence below a limit", .unit = "start",
               .parameter_sets = {{kSmoke, {{"limit", "100"}}}, {kReal, {{"limit", "1000"}}}});

}  // namespace

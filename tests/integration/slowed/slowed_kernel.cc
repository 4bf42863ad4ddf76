// A chain of integer operations whose length the agent's own file decides: a known difference in
// time, without a timer.
#include <cstring>
#include <fstream>
#include <string>

#include "fixtures/agent/kernel.h"
#include "tests/integration/slowed/slowed_bench.h"

namespace hvbench::slowed {
namespace {

// 0 for an agent as it was built.
std::uint64_t PercentOfThisAgent() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  Trailer found;
  self.seekg(-static_cast<std::streamoff>(sizeof(found)), std::ios::end);
  self.read(reinterpret_cast<char*>(&found), sizeof(found));
  const bool ours =
      self.good() && std::memcmp(found.magic, Trailer().magic, sizeof(found.magic)) == 0;
  return ours ? found.percent : 0;
}

class Chain : public agent::Kernel {
 public:
  void Prepare(const agent::Context&) override { links_ = kLinks * (100 + PercentOfThisAgent()); }

  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      std::uint64_t state = i;
      // Each step needs the one before: their number is the time.
      for (std::uint64_t link = 0; link < links_; ++link) {
        state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
        agent::KeepAlive(state);
      }
    }
  }

  void Verify() override {}

 private:
  static constexpr std::uint64_t kLinks = 50;  // for each percent: some 10 us in all
  std::uint64_t links_ = 0;
};

HVBENCH_KERNEL(Chain, .name = "cpu/chain", .summary = "A chain of dependent multiplications",
               .unit = "chain", .parameter_sets = {{agent::kSmoke | agent::kReal, {}}});

}  // namespace
}  // namespace hvbench::slowed

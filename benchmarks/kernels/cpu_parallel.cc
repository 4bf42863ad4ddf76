// Scaling over CPUs: the same integer work on each of several threads.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {
namespace {

// Knuth's MMIX generator, "The Art of Computer Programming" 2, 3.3.4: x' = kFactor x + kSummand. A
// power of it has a closed form, which makes a check possible without repeating the work.
constexpr std::uint64_t kFactor = 6364136223846793005u;
constexpr std::uint64_t kSummand = 1442695040888963407u;

// The generator after `steps` steps, by repeated squaring of the step.
std::uint64_t Jump(std::uint64_t state, std::uint64_t steps) {
  std::uint64_t factor = kFactor;
  std::uint64_t summand = kSummand;
  for (; steps != 0; steps >>= 1) {
    if ((steps & 1) != 0) state = factor * state + summand;
    summand *= factor + 1;
    factor *= factor;
  }
  return state;
}

constexpr std::size_t kChains = 4;  // independent, to keep a multiplier of latency 3 or 4 busy
using Chains = std::array<std::uint64_t, kChains>;

Chains Start(std::size_t member) {
  Chains chains;
  for (std::size_t i = 0; i < kChains; ++i) chains[i] = Mix(member * kChains + i + 1);
  return chains;
}

class Parallel : public Kernel {
 public:
  void Prepare(const Context& context) override {
    const std::size_t threads = context.Number("threads");
    ends_.resize(threads);
    crew_ = std::make_unique<Crew>(threads, [this](std::size_t member, std::uint64_t iterations) {
      ends_[member].chains = Advance(Start(member), iterations * kStepsPerIteration);
    });
  }

  void Run(std::uint64_t iterations) override {
    iterations_ = iterations;
    crew_->Release(iterations);
    crew_->Await();
  }

  void Verify() override {
    for (std::size_t member = 0; member < ends_.size(); ++member) {
      Chains expected = Start(member);
      for (std::uint64_t& chain : expected) {
        chain = Jump(chain, iterations_ * kStepsPerIteration);
      }
      if (ends_[member].chains != expected) {
        throw WrongResult("thread " + std::to_string(member) + " has a wrong result");
      }
      ends_[member].chains.fill(0);
    }
  }

  Work WorkPerIteration() const override {
    return {.items = ends_.size() * kStepsPerIteration * kChains};
  }

 private:
  static constexpr std::uint64_t kStepsPerIteration = 10'000;

  struct alignas(
      128) End {  // apart from other threads' ends: two lines, as CPUs fetch them in pairs
    Chains chains{};
  };

  static Chains Advance(Chains chains, std::uint64_t steps) {
    auto [a, b, c, d] = chains;  // in registers: through memory, stores would be measured
    for (std::uint64_t step = 0; step < steps; ++step) {
      a = kFactor * a + kSummand;
      b = kFactor * b + kSummand;
      c = kFactor * c + kSummand;
      d = kFactor * d + kSummand;
    }
    return {a, b, c, d};
  }

  std::vector<End> ends_;
  std::uint64_t iterations_ = 0;
  std::unique_ptr<Crew> crew_;  // last: its threads use the others
};

protocol::ParameterSet Threads(std::uint8_t profiles, unsigned threads) {
  return {profiles, {{"threads", std::to_string(threads)}}, threads};
}

HVBENCH_KERNEL(Parallel, .name = "cpu/parallel",
               .summary = "Integer work on several threads: total throughput", .unit = "step",
               .parameter_sets = {Threads(kSmoke | kReal, 1), Threads(kSmoke | kReal, 2),
                                  Threads(kReal, 4), Threads(kReal, 8), Threads(kReal, 16)});

}  // namespace
}  // namespace hvbench::agent::kernels

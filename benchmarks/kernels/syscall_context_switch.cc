// Two threads on one CPU that yield it to each other. Who has it passes a token on and yields until
// the token is back; nobody spins without yielding, so one CPU is enough.
#include <atomic>
#include <memory>
#include <optional>

#include "benchmarks/kernels/support/affinity.h"
#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/usage_meter.h"

namespace hvbench::agent::kernels {
namespace {

class ContextSwitch : public Kernel {
 public:
  void Prepare(const Context&) override {
    counts_switches_ = GuestCountsSwitches();
    placement_.emplace(OneCpu(), [this] {
      partner_ = std::make_unique<Crew>(1, [this](std::size_t, std::uint64_t iterations) {
        for (std::uint64_t i = 0; i < iterations; ++i) {
          partner_yields_ += YieldUntil(true);
          ++answers_;
          partner_has_token_.store(false);
        }
      });
    });
  }

  void Run(std::uint64_t iterations) override {
    const std::uint64_t switches_before = ContextSwitches();
    answers_ = my_yields_ = partner_yields_ = 0;
    partner_->Release(iterations);
    for (std::uint64_t i = 0; i < iterations; ++i) {
      partner_has_token_.store(true);
      my_yields_ += YieldUntil(false);
    }
    partner_->Await();
    switches_ = ContextSwitches() - switches_before;
    tally_.Record(iterations, answers_);
  }

  void Verify() override {
    const std::uint64_t switches = switches_;
    const std::uint64_t passes = answers_ * 2;
    tally_.Verify("tokens that came back");
    if (counts_switches_ && switches < passes) {
      throw WrongResult(std::to_string(switches) + " context switches for " +
                        std::to_string(passes) + " passes of the token");
    }
  }

  Work WorkPerIteration() const override { return {.items = 2}; }

  // 1 where each yield switches; more where the scheduler let the same thread go on.
  std::vector<protocol::Counter> Counters() const override {
    const double passes = answers_ == 0 ? 1.0 : 2.0 * static_cast<double>(answers_);
    return {{"yields_per_switch", static_cast<double>(my_yields_ + partner_yields_) / passes}};
  }

 private:
  // Returns how often it yielded.
  std::uint64_t YieldUntil(bool partner_has_token) const {
    std::uint64_t yields = 0;
    for (; partner_has_token_.load() != partner_has_token; ++yields) sched_yield();
    return yields;
  }

  std::atomic<bool> partner_has_token_{false};
  std::uint64_t answers_ = 0;         // the partner's during a batch
  std::uint64_t partner_yields_ = 0;  // likewise
  std::uint64_t my_yields_ = 0;
  std::uint64_t switches_ = 0;
  bool counts_switches_ = false;
  Tally tally_;
  std::unique_ptr<Crew> partner_;
  std::optional<PairPlacement> placement_;
};

HVBENCH_KERNEL(ContextSwitch, .name = "syscall/context_switch",
               .summary = "Two threads on one CPU yield it to each other", .unit = "switch",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels

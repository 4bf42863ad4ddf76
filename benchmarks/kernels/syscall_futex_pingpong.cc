// Two threads that wake each other in turn.
#include <memory>
#include <optional>

#include "benchmarks/kernels/support/affinity.h"
#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/futex.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class FutexPingpong : public Kernel {
 public:
  void Prepare(const Context& context) override {
    RequireAvailable(FutexWake(turn_, 1), "futex");
    placement_.emplace(CpuPairOf(context), [this] {
      partner_ = std::make_unique<Crew>(1, [this](std::size_t, std::uint64_t iterations) {
        for (std::uint64_t i = 0; i < iterations; ++i) {
          AwaitTurn(kPartners);
          ++answers_;
          Hand(kMine);
        }
      });
    });
  }

  void Run(std::uint64_t iterations) override {
    answers_ = 0;
    partner_->Release(iterations);
    for (std::uint64_t i = 0; i < iterations; ++i) {
      Hand(kPartners);
      AwaitTurn(kMine);
    }
    partner_->Await();
    tally_.Record(iterations, answers_);
  }

  void Verify() override { tally_.Verify("answers of the other thread"); }

 private:
  enum Turn : std::uint32_t { kMine, kPartners };

  void Hand(Turn turn) {
    turn_.store(turn);
    FutexWake(turn_, 1);
  }
  void AwaitTurn(Turn turn) const {
    const Turn other = turn == kMine ? kPartners : kMine;
    while (turn_.load() != turn) FutexWait(turn_, other);
  }

  std::atomic<std::uint32_t> turn_{kMine};
  std::uint64_t answers_ = 0;  // the partner's during a batch
  Tally tally_;
  std::unique_ptr<Crew> partner_;
  std::optional<PairPlacement> placement_;
};

HVBENCH_KERNEL(FutexPingpong, .name = "syscall/futex_pingpong",
               .summary = "Two threads wake each other in turn by futex", .unit = "round_trip",
               .parameter_sets = {{kSmoke | kReal, {{"cpus", "1"}}},
                                  {kFull, {{"cpus", "2"}}, /*cpus=*/2}});

}  // namespace
}  // namespace hvbench::agent::kernels

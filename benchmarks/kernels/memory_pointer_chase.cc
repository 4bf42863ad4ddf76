// Latency of a load, by the size of the working set.
#include <algorithm>

#include "benchmarks/kernels/support/chase_ring.h"
#include "benchmarks/kernels/support/memory_size.h"

namespace hvbench::agent::kernels {
namespace {

class PointerChase : public Kernel {
 public:
  void Prepare(const Context& context) override {
    // Of a set of eight times the cache, at most one load in eight ends there.
    const std::size_t bytes =
        MemorySize(context, "working_set", /*times=*/8, /*least=*/256 * kMiB, /*sets=*/1);
    ring_ = ChaseRing(bytes, PagesOf(context), context.seed());
    position_ = ring_.start();
    Run(std::min<std::uint64_t>(ring_.size(), kWarmUpLoads) / kLoadsPerIteration + 1);
    checked_ = steps_;
  }

  // Goes on where the last batch ended: a short batch that began again at the start would find its
  // lines in the cache.
  void Run(std::uint64_t iterations) override {
    const ChaseLine* position = position_;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      for (std::uint64_t load = 0; load < kLoadsPerIteration; ++load) position = position->next;
    }
    position_ = position;
    steps_ += iterations * kLoadsPerIteration;
  }

  void Verify() override {
    if (steps_ == checked_) throw WrongResult("nothing was loaded");
    ring_.CheckEnd(position_, steps_);
    checked_ = steps_;
  }

  Work WorkPerIteration() const override { return {.items = kLoadsPerIteration}; }

  std::vector<protocol::Counter> Counters() const override {
    return {{"working_set_bytes", static_cast<double>(ring_.lines().size_bytes())}};
  }

 private:
  static constexpr std::uint64_t kLoadsPerIteration = 1024;
  // As many lines as a last-level cache of 64 MiB holds: more would not stay there anyway.
  static constexpr std::uint64_t kWarmUpLoads = 64 * kMiB / kCacheLineBytes;

  ChaseRing ring_;
  const ChaseLine* position_ = nullptr;
  std::uint64_t steps_ = 0;
  std::uint64_t checked_ = 0;  // the steps at the last Verify
};

HVBENCH_KERNEL(PointerChase, .name = "memory/pointer_chase",
               .summary = "Dependent loads in random order over a working set", .unit = "load",
               .parameter_sets = {
                   {kSmoke | kReal, {{"working_set_kib", "16"}, {"pages", "4k"}}},
                   {kSmoke | kReal, {{"working_set_kib", "256"}, {"pages", "4k"}}},
                   {kReal, {{"working_set_kib", "4096"}, {"pages", "4k"}}},
                   {kReal, {{"working_set_kib", "32768"}, {"pages", "4k"}}},
                   {kReal, {{"working_set", "memory"}, {"pages", "4k"}}},
                   {kFull, {{"working_set_kib", "4096"}, {"pages", "thp"}}},
                   {kFull, {{"working_set_kib", "32768"}, {"pages", "thp"}}},
                   {kReal, {{"working_set", "memory"}, {"pages", "thp"}}},
               });

}  // namespace
}  // namespace hvbench::agent::kernels

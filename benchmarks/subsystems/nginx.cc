// nginx: static files over HTTP, from a server in the guest to a load generator outside of it.
#include <algorithm>
#include <cmath>
#include <utility>

#include "benchmarks/subsystems/application_fixture.h"
#include "benchmarks/subsystems/subsystem.h"

namespace hvbench {
namespace {

// At a fixed rate, the interval between two requests is the load's choice and the same for all
// runtimes. What a runtime makes of it is the mean latency, which is the time of these cells.
class RateFixture : public ApplicationFixture {
 public:
  using ApplicationFixture::ApplicationFixture;

 protected:
  RunResult Measure(std::uint64_t iterations) override {
    RunResult result = ApplicationFixture::Measure(iterations);
    const auto& counters = result.run.counters;
    const auto mean = std::find_if(counters.begin(), counters.end(),
                                   [](const auto& counter) { return counter.name == "mean_ns"; });
    if (mean == counters.end()) throw Error("the load generator does not tell its latency");
    served_per_ns_ = static_cast<double>(iterations) / static_cast<double>(result.run.elapsed_ns);
    result.run.elapsed_ns = static_cast<std::uint64_t>(
        std::llround(std::max(1.0, mean->value * static_cast<double>(iterations))));
    return result;
  }

  // Rates are by the time that passed.
  void AddCounters(const RunResult& result, benchmark::State& state) const override {
    ApplicationFixture::AddCounters(result, state);
    const double per_second = served_per_ns_ * 1e9;
    state.counters["items_per_second"] =
        per_second * static_cast<double>(work().items_per_iteration);
    state.counters["bytes_per_second"] =
        benchmark::Counter(per_second * static_cast<double>(work().bytes_per_iteration),
                           benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
  }

 private:
  double served_per_ns_ = 0;  // in the last run
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeNginxFixture(CellName cell, const RunSettings& settings) {
  if (cell.kernel == "nginx/http_at_rate") {
    return std::make_unique<RateFixture>(std::move(cell), settings);
  }
  return std::make_unique<ApplicationFixture>(std::move(cell), settings);
}

}  // namespace hvbench

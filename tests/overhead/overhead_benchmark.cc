// What the exec bridge costs: each of five kernels under plain Google Benchmark in this process
// (A), and in a native guest through the bridge (B), on the same CPU, in A B B A order. The medians
// of all rounds must agree within 1 %; and the bridge's round trip must take at most 30 us.
#include <benchmark/benchmark.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fixtures/agent/kernel.h"
#include "fixtures/guest_pool.h"
#include "fixtures/host_facts.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

constexpr int kRounds = 9;  // of A B B A
constexpr int kAttempts = 3;
constexpr double kMaxDifference = 0.01;
constexpr double kMaxRoundTripNs = 30'000;
constexpr std::chrono::milliseconds kTargetTime{30};

// One of each kind of work. Working sets stay inside the private caches: beyond them, physical
// placement differs from process to process by more than what is to be shown.
const std::vector<CellName> kCells = {
    {"calibration/clock_read", {}, "native"},
    {"cpu/matmul", {{"n", "32"}}, "native"},
    {"cpu/sha256", {{"message_kib", "1"}}, "native"},
    {"memory/pointer_chase", {{"working_set_kib", "16"}, {"pages", "4k"}}, "native"},
    {"syscall/getppid", {}, "native"},
};

class Recorder : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      values_[run.run_name.function_name].push_back(run.GetAdjustedRealTime());
      const auto trip = run.counters.find("bridge_round_trip_ns");
      if (trip != run.counters.end()) round_trips_.push_back(trip->second.value);
    }
  }
  // 0 if nothing was measured.
  static double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
  }
  double MedianOf(const std::string& name) { return Median(values_[name]); }
  double MedianRoundTripNs() const { return Median(round_trips_); }
  void Clear() { values_.clear(); }

 private:
  std::map<std::string, std::vector<double>> values_;
  std::vector<double> round_trips_;
};

void PinTo(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

std::string PlainName(const CellName& cell) { return "plain/" + cell.WithoutRuntime(); }

// Google Benchmark's own loop and search around the same kernel, on the guest's CPU.
void RegisterPlain(const CellName& cell, const std::vector<int>& guest_cpus) {
  benchmark::RegisterBenchmark(PlainName(cell).c_str(), [cell,
                                                         guest_cpus](benchmark::State& state) {
    const auto& kernels = agent::AllKernels();
    const auto spec = std::find_if(kernels.begin(), kernels.end(),
                                   [&](const auto& s) { return s.name == cell.kernel; });
    const std::unique_ptr<agent::Kernel> kernel = spec->make();
    const std::vector<int> own_cpus = UsableCpus();
    PinTo(guest_cpus);
    kernel->Prepare(agent::Context(cell.params, "/tmp", 1));
    kernel->Run(1);
    while (state.KeepRunningBatch(state.max_iterations)) {
      kernel->Run(static_cast<std::uint64_t>(state.max_iterations));
    }
    kernel->Verify();
    PinTo(own_cpus);
  })->UseRealTime();
}

void RunOne(const std::string& name, Recorder& recorder) {
  benchmark::RunSpecifiedBenchmarks(&recorder, "^" + name + "(/real_time|/manual_time)$");
}

// The ratio B / A of the medians.
double Compare(const CellName& cell, Recorder& recorder) {
  recorder.Clear();
  const std::string plain = PlainName(cell);
  const std::string bridged = FormatCellName(cell);
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& name : {plain, bridged, bridged, plain}) RunOne(name, recorder);
  }
  const double a = recorder.MedianOf(plain);
  const double b = recorder.MedianOf(bridged);
  std::printf("%-50s %12.2f %12.2f %8.4f\n", cell.WithoutRuntime().c_str(), a, b, b / a);
  std::fflush(stdout);
  return b / a;
}

int Main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::string min_time = "--benchmark_min_time=0.03" HVBENCH_MIN_TIME_SUFFIX;
  char* arguments[] = {argv[0], min_time.data()};
  int count = 2;
  benchmark::Initialize(&count, arguments);
  BecomeSubreaper();
  const std::filesystem::path work_dir =
      std::filesystem::temp_directory_path() / ("hvbench-overhead-" + std::to_string(getpid()));
  int failures = 0;
  {
    std::vector<Runtime> runtimes;
    runtimes.push_back(MakeRuntime("native", {"native", {}, {}}));
    const std::vector<int> usable = UsableCpus();
    const std::vector<int> guest_cpus = ChooseGuestCpus(usable, 1);
    LeaveCpusToGuests(usable, guest_cpus);
    const RunDir run_dir = RunDir::Create(work_dir);
    GuestPoolOptions options;
    options.agent = argv[1];
    options.shape = {1, 512, guest_cpus};
    GuestPool pool(run_dir, {&runtimes[0]}, options);
    RunSettings settings;
    settings.pool = &pool;
    settings.target_time = kTargetTime;
    for (const CellName& cell : kCells) {
      RegisterPlain(cell, guest_cpus);
      Register(std::make_unique<RuntimeFixture>(cell, settings));
    }
    Recorder recorder;
    std::printf("%-50s %12s %12s %8s\n", "kernel", "plain ns", "bridge ns", "ratio");
    for (const CellName& cell : kCells) {
      bool agrees = false;
      for (int attempt = 0; attempt < kAttempts && !agrees; ++attempt) {
        agrees = std::abs(Compare(cell, recorder) - 1) <= kMaxDifference;
      }
      failures += agrees ? 0 : 1;
    }
    const double round_trip_ns = recorder.MedianRoundTripNs();
    std::printf("round trip of the exec bridge, median: %.1f us\n", round_trip_ns / 1000);
    failures += round_trip_ns > 0 && round_trip_ns <= kMaxRoundTripNs ? 0 : 1;
  }
  std::filesystem::remove_all(work_dir);
  std::printf("%s\n", failures == 0 ? "within bounds" : "OUT OF BOUNDS");
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hvbench

int main(int argc, char** argv) { return hvbench::Main(argc, argv); }

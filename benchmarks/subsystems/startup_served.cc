#include "benchmarks/subsystems/startup_served.h"

#include <string>
#include <utility>

#include "fixtures/boot_phases.h"
#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

using protocol::kFull;
using protocol::kQuick;
using protocol::kSmoke;
using std::chrono::nanoseconds;

// What is started in the guest, and the load whose preparation ends with the first response.
struct Application {
  std::string cell;
  protocol::PrepareRequest server;
  protocol::PrepareRequest load;
};

const std::vector<Application>& Applications() {
  const protocol::Params file = {{"file_kib", "1"}, {"tls", "0"}, {"access_log", "0"}};
  const protocol::Params pool = {{"buffer_pool_mib", "128"}};
  static const std::vector<Application> kApplications = {
      {"startup/mysql", {"mysql/server", pool, 0, 1, 0}, {"mysql/connect", pool, 0, 1, 0}},
      {"startup/nginx",
       {"nginx/server", file, 0, 1, 0},
       {"nginx/http",
        {{"file_kib", "1"}, {"keepalive", "1"}, {"concurrency", "1"}, {"tls", "0"}},
        0,
        1,
        0}}};
  return kApplications;
}

std::uint64_t BootsEach(const RunSettings& settings) {
  constexpr std::uint64_t kBootsInFull = 5;
  if (settings.fixed_iterations > 0) return settings.fixed_iterations;
  return settings.profile == kFull ? kBootsInFull : 1;
}

class ServedFixture : public RuntimeFixture {
 public:
  ServedFixture(const CellName& cell, const RunSettings& settings, Application application)
      : RuntimeFixture(cell, settings), application_(std::move(application)) {
    SetWork({BootsEach(settings), 1, 0});
    application_.server.seed = application_.load.seed = settings.seed;
  }

 protected:
  // As all of startup, without guests beside it. The first boot makes what is made once.
  void Begin() override {
    if (settings().load == nullptr) throw CannotRunHere(settings().netlab_problem);
    settings().pool->Clear();
    if (!std::exchange(warm_, true)) ServeOnce();
  }

  RunResult Measure(std::uint64_t iterations) override {
    RunResult sum;
    nanoseconds boot{0};
    for (std::uint64_t i = 0; i < iterations; ++i) {
      const Served served = ServeOnce();
      boot += served.boot;
      sum.run.elapsed_ns += static_cast<std::uint64_t>(served.total.count());
      sum.host_cpu_ns += served.host_cpu.count();
      sum.round_trip_ns = served.round_trip_ns;
    }
    sum.iterations = iterations;
    // The guest's own is not known before its agent runs.
    sum.run.cpu_ns = static_cast<std::uint64_t>(sum.host_cpu_ns);
    const double boot_ms =
        static_cast<double>(boot.count()) * 1e-6 / static_cast<double>(iterations);
    const double total_ms =
        static_cast<double>(sum.run.elapsed_ns) * 1e-6 / static_cast<double>(iterations);
    sum.run.counters = {{"boot_ms", boot_ms}, {"serve_ms", total_ms - boot_ms}};
    return sum;
  }

 private:
  struct Served {
    nanoseconds total{0};  // from the launch call to the first response
    nanoseconds boot{0};   // to the agent's first reply
    nanoseconds host_cpu{0};
    std::int64_t round_trip_ns = 0;
  };

  Served ServeOnce() const {
    GuestPool& pool = *settings().pool;
    LoadAgent& load = *settings().load;
    Launcher& launcher = pool.launcher(cell().runtime);
    const nanoseconds daemon_before = launcher.DaemonCpu();
    const auto guest =
        pool.LaunchFresh(cell().runtime, /*cold_cache=*/false, GuestKind::kApplication);
    protocol::PrepareRequest server = application_.server;
    server.params.emplace_back("workers", std::to_string(pool.shape().vcpus));
    (*guest)->bridge().Prepare(server, RunDeadline());
    protocol::PrepareRequest request = application_.load;
    request.params.emplace_back("server", (*guest)->address);
    load.Prepare(request, RunDeadline());
    Served served;
    const BootTimeline& timeline = (*guest)->timeline();
    served.total = nanoseconds(MonotonicRawNs() - timeline.launch_called_ns);
    served.boot = DivideBoot(timeline).Total();
    served.host_cpu = (*guest)->guest().HostCpu() + launcher.DaemonCpu() - daemon_before;
    served.round_trip_ns = (*guest)->clock_anchor.round_trip_ns;
    load.Cleanup(RunDeadline());
    (*guest)->bridge().Cleanup(RunDeadline());
    guest->Shutdown();
    return served;
  }

  Application application_;
  bool warm_ = false;
};

}  // namespace

const std::vector<HostCell>& ServedCells() {
  static const std::vector<HostCell> kCells = [] {
    constexpr std::uint8_t kAll = kSmoke | kQuick | kFull;
    std::vector<HostCell> cells;
    for (const Application& application : Applications()) {
      cells.push_back({application.cell, {}, kAll, kAll, /*needs_peer=*/true});
    }
    return cells;
  }();
  return kCells;
}

std::unique_ptr<RuntimeFixture> MakeServedFixture(const CellName& cell,
                                                  const RunSettings& settings) {
  for (const Application& application : Applications()) {
    if (application.cell == cell.kernel) {
      return std::make_unique<ServedFixture>(cell, settings, application);
    }
  }
  return nullptr;
}

}  // namespace hvbench

#include "benchmarks/subsystems/startup_served.h"

#include <string>
#include <utility>

#include "benchmarks/subsystems/application_fixture.h"
#include "fixtures/boot_phases.h"
#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

using protocol::kFull;
using protocol::kQuick;
using protocol::kSmoke;
using std::chrono::nanoseconds;

// The cell, what is started in its guest, and the load whose preparation ends with the first
// response.
struct Application {
  std::string cell;
  protocol::KernelDescription server;
  protocol::PrepareRequest load;
};

std::vector<Application> Applications(const Kernels& kernels) {
  std::vector<Application> applications;
  for (const auto& [name, load] : kernels) {
    const auto server = kernels.find(load.server);
    if (server == kernels.end()) continue;
    for (const protocol::ParameterSet& set : load.parameter_sets) {
      if ((set.profiles & protocol::kFirstResponse) == 0) continue;
      const std::string subsystem = CellName{name, {}, ""}.Subsystem();
      applications.push_back({"startup/" + subsystem, server->second, {name, set.params, 0, 1, 0}});
    }
  }
  return applications;
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
    application_.load.seed = settings.seed;
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
    // What lies between the boot's end and here is the measuring of the guest's clock.
    const std::int64_t begin_ns = MonotonicRawNs();
    const nanoseconds cpu_before = (*guest)->guest().HostCpu();
    protocol::PrepareRequest request = application_.load;
    AddServer(request, **guest);
    (*guest)->bridge().Prepare(ServerRequest(application_.server, request.params, settings()),
                               RunDeadline());
    load.Prepare(request, RunDeadline());
    Served served;
    served.boot = DivideBoot((*guest)->timeline()).Total();
    served.total = served.boot + nanoseconds(MonotonicRawNs() - begin_ns);
    served.host_cpu = (*guest)->boot_cpu() + (*guest)->guest().HostCpu() - cpu_before +
                      launcher.DaemonCpu() - daemon_before;
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

std::vector<HostCell> ServedCells(const Kernels& kernels) {
  constexpr std::uint8_t kAll = kSmoke | kQuick | kFull;
  std::vector<HostCell> cells;
  for (const Application& application : Applications(kernels)) {
    cells.push_back({application.cell, {}, kAll, kAll, /*needs_peer=*/true});
  }
  return cells;
}

std::unique_ptr<RuntimeFixture> MakeServedFixture(const CellName& cell,
                                                  const RunSettings& settings) {
  for (const Application& application : Applications(settings.kernels)) {
    if (application.cell == cell.kernel) {
      return std::make_unique<ServedFixture>(cell, settings, application);
    }
  }
  return nullptr;
}

}  // namespace hvbench

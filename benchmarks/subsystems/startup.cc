// Startup: what a runtime costs before anything runs in it. Measured from the host with fresh
// guests, while the pool has none: a guest of the same runtime would keep its binaries in the page
// cache, and halve what the others' shared pages count in their PSS. docs/startup.md says what is
// measured.
#include <algorithm>
#include <cmath>
#include <utility>

#include "benchmarks/subsystems/startup_served.h"
#include "benchmarks/subsystems/subsystem.h"
#include "fixtures/boot_phases.h"
#include "fixtures/guest_fleet.h"
#include "fixtures/host_memory.h"
#include "fixtures/sample_name.h"
#include "runtime_launchers/support/clock.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

using protocol::kFull;
using protocol::kQuick;
using protocol::kSmoke;
using std::chrono::nanoseconds;

constexpr char kBoot[] = "startup/boot";
constexpr char kMemory[] = "startup/memory";
constexpr char kDensity[] = "startup/density";
constexpr char kFirstTouch[] = "startup/first_touch";

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kTouchedMib = 64;  // of protocol::kTouched64Mib
constexpr std::chrono::milliseconds kSettleTime{100};

// Boots of a cell in all its repetitions together, at least.
std::uint64_t BootsOf(protocol::Profile profile) {
  return profile == kSmoke ? 2 : profile == kQuick ? 20 : 300;
}

std::string ParameterOf(const CellName& cell, const std::string& key) {
  for (const auto& [name, value] : cell.params) {
    if (name == key) return value;
  }
  throw Error("the cell " + FormatCellName(cell) + " has no parameter " + key);
}

double Ms(nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

struct Boot {
  BootPhases phases;
  nanoseconds stop{0};
  nanoseconds host_cpu{0};  // of all that served it, from the launch call to the first reply
  std::int64_t round_trip_ns = 0;
};

class StartupFixture : public RuntimeFixture {
 public:
  StartupFixture(CellName cell, const RunSettings& settings, std::uint64_t iterations,
                 std::uint64_t guests)
      : RuntimeFixture(std::move(cell), settings) {
    SetWork({iterations, guests, 0});
  }

 protected:
  void Begin() override {
    pool().Clear();
    if (WantsUncountedBoot()) BootOnce(/*cold_cache=*/false);
  }

  // A runtime's first guest of all pays for what is made once, such as an image.
  virtual bool WantsUncountedBoot() const { return !pool().HasBooted(cell().runtime); }

  GuestPool& pool() const { return *settings().pool; }

  // Half of the guest's memory is its own affair.
  void RequireMemory(std::int64_t touched_mib) const {
    if (pool().shape().memory_mib >= 2 * touched_mib) return;
    throw CannotRunHere("the guest has less than " + std::to_string(2 * touched_mib) + " MiB");
  }

  nanoseconds DaemonCpu() const { return pool().launcher(cell().runtime).DaemonCpu(); }

  Boot BootOnce(bool cold_cache) const {
    Boot boot;
    const nanoseconds daemon_before = DaemonCpu();
    const auto guest = pool().LaunchFresh(cell().runtime, cold_cache);
    boot.host_cpu = (*guest)->boot_cpu() + DaemonCpu() - daemon_before;
    boot.phases = DivideBoot((*guest)->timeline());
    boot.round_trip_ns = (*guest)->clock_anchor.round_trip_ns;
    boot.stop = guest->Shutdown();
    return boot;
  }

  // The times of all, and the counters of the last.
  template <typename One>
  static RunResult Repeat(std::uint64_t iterations, One measure_one) {
    RunResult sum;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      RunResult next = measure_one();
      next.run.elapsed_ns += sum.run.elapsed_ns;
      next.run.cpu_ns += sum.run.cpu_ns;
      next.host_cpu_ns += sum.host_cpu_ns;
      sum = std::move(next);
    }
    sum.iterations = iterations;
    return sum;
  }

  // The guest's CPU time is not known before the agent runs: the host's stands for it.
  static RunResult ResultOf(nanoseconds elapsed, nanoseconds host_cpu, std::int64_t round_trip_ns) {
    RunResult result;
    result.run.elapsed_ns = static_cast<std::uint64_t>(elapsed.count());
    result.run.cpu_ns = static_cast<std::uint64_t>(host_cpu.count());
    result.host_cpu_ns = host_cpu.count();
    result.round_trip_ns = round_trip_ns;
    return result;
  }
};

class BootFixture : public StartupFixture {
 public:
  BootFixture(const CellName& cell, const RunSettings& settings)
      : StartupFixture(cell, settings, BootsEach(settings), 1),
        cold_cache_(ParameterOf(cell, "cache") == "cold") {}

 protected:
  // Whatever ran before, the cache is warm then.
  bool WantsUncountedBoot() const override {
    return StartupFixture::WantsUncountedBoot() || (!has_booted_ && !cold_cache_);
  }

  RunResult Measure(std::uint64_t iterations) override {
    std::vector<Boot> boots;
    while (boots.size() < iterations) boots.push_back(BootOnce(cold_cache_));
    has_booted_ = true;
    return Summarize(boots);
  }

 private:
  static std::uint64_t BootsEach(const RunSettings& settings) {
    if (settings.fixed_iterations > 0) return settings.fixed_iterations;
    const auto repetitions =
        static_cast<std::uint64_t>(std::max(settings.repetitions * settings.visits, 1));
    return (BootsOf(settings.profile) + repetitions - 1) / repetitions;
  }

  static RunResult Summarize(const std::vector<Boot>& boots) {
    Boot sum;
    for (const Boot& boot : boots) {
      sum.phases.process += boot.phases.process;
      if (boot.phases.guest_kernel) {
        sum.phases.guest_kernel =
            sum.phases.guest_kernel.value_or(nanoseconds(0)) + *boot.phases.guest_kernel;
      }
      sum.phases.agent += boot.phases.agent;
      sum.phases.reply += boot.phases.reply;
      sum.stop += boot.stop;
      sum.host_cpu += boot.host_cpu;
      sum.round_trip_ns += boot.round_trip_ns;
    }
    const auto count = static_cast<std::int64_t>(boots.size());
    RunResult result = ResultOf(sum.phases.Total(), sum.host_cpu, sum.round_trip_ns / count);
    result.iterations = boots.size();
    auto& counters = result.run.counters;
    counters = {{"boot_process_ms", Ms(sum.phases.process / count)},
                {"boot_agent_ms", Ms(sum.phases.agent / count)},
                {"boot_reply_ms", Ms(sum.phases.reply / count)},
                {"stop_ms", Ms(sum.stop / count)}};
    if (sum.phases.guest_kernel)
      counters.push_back({"boot_kernel_ms", Ms(*sum.phases.guest_kernel / count)});
    for (std::size_t i = 0; i < boots.size(); ++i) {
      counters.push_back({SampleName("boot", i, "ms"), Ms(boots[i].phases.Total())});
      counters.push_back({SampleName("stop", i, "ms"), Ms(boots[i].stop)});
    }
    return result;
  }

  bool cold_cache_;
  bool has_booted_ = false;
};

// The kernel that says that it touches memory, and the parameters with which it does.
protocol::PrepareRequest TouchRequest(const RunSettings& settings) {
  for (const auto& [name, kernel] : settings.kernels) {
    for (const protocol::ParameterSet& set : kernel.parameter_sets) {
      if ((set.profiles & protocol::kTouched64Mib) != 0) return {name, set.params};
    }
  }
  throw CannotRunHere("this agent has no kernel that touches " + std::to_string(kTouchedMib) +
                      " MiB (kTouched64Mib)");
}

// The guest holds what a run of it touches until it is cleaned up.
void PrepareTouch(LiveGuest& guest, const RunSettings& settings, protocol::PrepareRequest request) {
  request.iterations = 1;
  request.seed = settings.seed;
  guest.bridge().Prepare(request, Deadline::In(settings.cell_timeout));
}

// Memory that nobody has touched since the guest was booted: what backs it must be found by the
// guest's kernel, and by the host behind it. A kernel that runs many times finds the latter done.
class FirstTouchFixture : public StartupFixture {
 public:
  FirstTouchFixture(const CellName& cell, const RunSettings& settings)
      : StartupFixture(cell, settings, BootsEach(settings), PagesOf(cell)) {}

 protected:
  RunResult Measure(std::uint64_t iterations) override {
    RequireMemory(std::stoll(ParameterOf(cell(), "region_mib")));
    return Repeat(iterations, [&] { return MeasureOne(); });
  }

 private:
  static std::uint64_t BootsEach(const RunSettings& settings) {
    constexpr std::uint64_t kBootsInFull = 5;
    if (settings.fixed_iterations > 0) return settings.fixed_iterations;
    return settings.profile == kFull ? kBootsInFull : 1;
  }

  static std::uint64_t PagesOf(const CellName& cell) {
    constexpr std::uint64_t kPagesEachMib = 256;  // of 4 KiB; two MiB are a huge one
    const std::uint64_t mib = std::stoull(ParameterOf(cell, "region_mib"));
    return ParameterOf(cell, "pages") == "thp" ? mib / 2 : mib * kPagesEachMib;
  }

  RunResult MeasureOne() const {
    const auto fresh = pool().LaunchFresh(cell().runtime, /*cold_cache=*/false);
    LiveGuest& guest = **fresh;
    protocol::PrepareRequest request = TouchRequest(settings());
    request.params = cell().params;
    PrepareTouch(guest, settings(), std::move(request));
    const nanoseconds cpu_before = guest.guest().HostCpu();
    const auto run = guest.bridge().Run(1, RunDeadline());
    const nanoseconds cpu_after = guest.guest().HostCpu();
    CheckRun(run, guest.max_skew());
    guest.bridge().Verify(RunDeadline());
    RunResult result;
    result.boot = guest.boot();
    result.run = run.reply;
    result.host_cpu_ns = (cpu_after - cpu_before).count();
    result.round_trip_ns = guest.clock_anchor.round_trip_ns;
    fresh->Shutdown();
    return result;
  }
};

class MemoryFixture : public StartupFixture {
 public:
  MemoryFixture(CellName cell, const RunSettings& settings)
      : StartupFixture(std::move(cell), settings, 1, 1) {}

 protected:
  RunResult Measure(std::uint64_t iterations) override {
    const bool touched = ParameterOf(cell(), "state") != "idle";
    if (touched) RequireMemory(kTouchedMib);
    return Repeat(iterations, [&] { return MeasureOne(touched); });
  }

 private:
  RunResult MeasureOne(bool touched) const {
    const nanoseconds daemon_before = DaemonCpu();
    const std::int64_t available_before = AvailableMemory();
    const auto fresh = pool().LaunchFresh(cell().runtime, /*cold_cache=*/false);
    LiveGuest& guest = **fresh;
    nanoseconds elapsed = DivideBoot(guest.timeline()).Total();
    nanoseconds host_cpu = guest.boot_cpu();
    if (touched) {
      const nanoseconds untouched_cpu = guest.guest().HostCpu();
      elapsed += Touch(guest);
      host_cpu += guest.guest().HostCpu() - untouched_cpu;
    }
    host_cpu += DaemonCpu() - daemon_before;
    Pause(kSettleTime, /*interruptible=*/true);
    const GuestMemory memory = guest.guest().Memory();
    const std::int64_t available_after = AvailableMemory();
    const std::int64_t round_trip_ns = guest.clock_anchor.round_trip_ns;
    fresh->Shutdown();
    if (!memory.pss_bytes) throw CannotRunHere("the PSS of the guest's processes is unreadable");
    if (touched && memory.guest_bytes < kTouchedMib * kMiB) {
      throw Error("the guest touched " + std::to_string(kTouchedMib) + " MiB, but has " +
                  std::to_string(memory.guest_bytes) + " bytes");
    }
    RunResult result = ResultOf(elapsed, host_cpu, round_trip_ns);
    result.run.counters = {
        {"pss_bytes", static_cast<double>(*memory.pss_bytes)},
        {"overhead_pss_bytes", static_cast<double>(*memory.pss_bytes - memory.guest_bytes)},
        {"guest_pss_bytes", static_cast<double>(memory.guest_bytes)},
        {"host_memory_bytes", static_cast<double>(available_before - available_after)},
        {"processes", static_cast<double>(memory.processes)}};
    return result;
  }

  // Returns the time it took.
  nanoseconds Touch(LiveGuest& guest) const {
    const std::int64_t begin_ns = MonotonicRawNs();
    PrepareTouch(guest, settings(), TouchRequest(settings()));
    guest.bridge().Run(1, RunDeadline());
    return nanoseconds(MonotonicRawNs() - begin_ns);
  }
};

class DensityFixture : public StartupFixture {
 public:
  DensityFixture(const CellName& cell, const RunSettings& settings)
      : StartupFixture(cell, settings, 1, static_cast<std::uint64_t>(GuestsOf(cell))),
        guests_(GuestsOf(cell)),
        in_sequence_(ParameterOf(cell, "order") == "sequence") {}

 protected:
  RunResult Measure(std::uint64_t iterations) override {
    return Repeat(iterations, [&] { return MeasureOne(); });
  }

 private:
  static int GuestsOf(const CellName& cell) { return std::stoi(ParameterOf(cell, "guests")); }

  // Guests may use all the memory that they were promised: none is lent twice.
  void CheckThatTheyFit(std::int64_t available) const {
    const std::int64_t needed = guests_ * pool().shape().memory_mib * kMiB;
    if (needed <= available) return;
    throw CannotRunHere(std::to_string(guests_) + " guests of " +
                        std::to_string(pool().shape().memory_mib) + " MiB do not fit into " +
                        std::to_string(available / kMiB) + " MiB of available memory");
  }

  RunResult MeasureOne() const {
    const nanoseconds daemon_before = DaemonCpu();
    const std::int64_t available_before = AvailableMemory();
    CheckThatTheyFit(available_before);
    std::vector<std::int64_t> available = {available_before};
    GuestFleet fleet(pool(), cell().runtime);
    if (in_sequence_) {
      fleet.LaunchInSequence(guests_, [&](LiveGuest&) { available.push_back(AvailableMemory()); });
    } else {
      fleet.LaunchAtOnce(guests_);
    }
    const std::vector<LiveGuest*> guests = fleet.Guests();
    nanoseconds host_cpu = DaemonCpu() - daemon_before;
    for (LiveGuest* guest : guests) host_cpu += guest->boot_cpu();
    Pause(kSettleTime, /*interruptible=*/true);
    const std::int64_t available_after = AvailableMemory();
    RunResult result = Describe(guests, host_cpu);
    auto& counters = result.run.counters;
    counters.push_back({"memory_per_guest_bytes",
                        static_cast<double>(available_before - available_after) / guests_});
    if (in_sequence_) AddMarginalMemory(available, counters);
    fleet.Shutdown();
    return result;
  }

  RunResult Describe(const std::vector<LiveGuest*>& guests, nanoseconds host_cpu) const {
    std::vector<protocol::Counter> counters;
    std::int64_t begin_ns = guests.front()->timeline().launch_called_ns;
    std::int64_t end_ns = 0;
    std::int64_t overhead_bytes = 0;
    std::int64_t round_trip_ns = 0;
    nanoseconds later_half{0};
    for (std::size_t i = 0; i < guests.size(); ++i) {
      LiveGuest& guest = *guests[i];
      const nanoseconds boot = DivideBoot(guest.timeline()).Total();
      counters.push_back({SampleName("guest", i, "boot_ms"), Ms(boot)});
      if (i >= guests.size() / 2) later_half += boot;
      begin_ns = std::min(begin_ns, guest.timeline().launch_called_ns);
      end_ns = std::max(end_ns, guest.timeline().first_reply_ns);
      const GuestMemory memory = guest.guest().Memory();
      overhead_bytes += memory.pss_bytes.value_or(0) - memory.guest_bytes;
      round_trip_ns += guest.clock_anchor.round_trip_ns;
    }
    const auto count = static_cast<std::int64_t>(guests.size());
    RunResult result = ResultOf(nanoseconds(end_ns - begin_ns), host_cpu, round_trip_ns / count);
    counters.push_back({"marginal_boot_ms", Ms(later_half / (count - count / 2))});
    counters.push_back({"overhead_pss_per_guest_bytes",
                        static_cast<double>(overhead_bytes) / static_cast<double>(count)});
    result.run.counters = std::move(counters);
    return result;
  }

  // `available` is before the first guest and after each.
  static void AddMarginalMemory(const std::vector<std::int64_t>& available,
                                std::vector<protocol::Counter>& counters) {
    const std::size_t guests = available.size() - 1;
    for (std::size_t i = 0; i < guests; ++i) {
      counters.push_back({SampleName("guest", i, "memory_bytes"),
                          static_cast<double>(available[i] - available[i + 1])});
    }
    const std::size_t half = guests / 2;
    counters.push_back(
        {"marginal_memory_bytes", static_cast<double>(available[half] - available[guests]) /
                                      static_cast<double>(guests - half)});
  }

  int guests_;
  bool in_sequence_;
};

}  // namespace

std::vector<HostCell> StartupCells(const Kernels& kernels) {
  constexpr std::uint8_t kAll = kSmoke | kQuick | kFull;
  constexpr std::uint8_t kReal = kQuick | kFull;
  const auto density = [](const char* guests, const char* order, std::uint8_t profiles,
                          std::uint8_t emulated) -> HostCell {
    return {kDensity, {{"guests", guests}, {"order", order}}, profiles, emulated};
  };
  std::vector<HostCell> cells = {
      {kBoot, {{"cache", "warm"}}, kAll, kAll},
      {kBoot, {{"cache", "cold"}}, kAll, kFull},
      {kMemory, {{"state", "idle"}}, kAll, kAll},
      {kMemory, {{"state", "touched_64mib"}}, kAll, kAll},
      {kFirstTouch, {{"region_mib", "64"}, {"pages", "4k"}}, kAll, kAll},
      {kFirstTouch, {{"region_mib", "64"}, {"pages", "thp"}}, kFull, kFull},
      density("1", "sequence", kReal, kFull),
      density("2", "sequence", kAll, kAll),
      density("4", "sequence", kReal, kFull),
      density("8", "sequence", kFull, kFull),
      density("16", "sequence", kFull, 0),
      density("2", "parallel", kSmoke | kFull, kAll),
      density("4", "parallel", kReal, kFull),
      density("8", "parallel", kFull, kFull),
      density("16", "parallel", kFull, 0),
  };
  for (HostCell& cell : ServedCells(kernels)) cells.push_back(std::move(cell));
  return cells;
}

std::unique_ptr<RuntimeFixture> MakeStartupFixture(CellName cell, const RunSettings& settings) {
  if (cell.kernel == kBoot) return std::make_unique<BootFixture>(cell, settings);
  if (cell.kernel == kMemory) return std::make_unique<MemoryFixture>(std::move(cell), settings);
  if (cell.kernel == kFirstTouch) return std::make_unique<FirstTouchFixture>(cell, settings);
  if (cell.kernel == kDensity) return std::make_unique<DensityFixture>(cell, settings);
  if (auto fixture = MakeServedFixture(cell, settings)) return fixture;
  // A kernel of someone else's agent.
  return std::make_unique<RuntimeFixture>(std::move(cell), settings);
}

}  // namespace hvbench

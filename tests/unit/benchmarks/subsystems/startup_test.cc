// Startup cells through the real Google Benchmark, on fake runtimes: what is booted and stopped,
// and what the rows make of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "benchmarks/results/boot_quantiles.h"
#include "benchmarks/subsystems/subsystem.h"
#include "fixtures/sample_name.h"
#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::kSmoke;
using protocol::Message;
using testing::Behaviour;
using testing::CountsCell;
using testing::FakeRuntime;
using testing::MeasuredRow;
using testing::Measurement;
using testing::Reaction;

constexpr double kMiB = 1024.0 * 1024.0;

CellName BootCell(const char* cache) { return {"startup/boot", {{"cache", cache}}, "alpha"}; }
CellName MemoryCell(const char* state) { return {"startup/memory", {{"state", state}}, "alpha"}; }
CellName DensityCell(int guests, const char* order) {
  return {"startup/density", {{"guests", std::to_string(guests)}, {"order", order}}, "alpha"};
}

// With the subsystems' own fixtures, as the suite makes them.
class StartupTest : public ::testing::Test {
 protected:
  StartupTest() {
    m_.settings.fixed_iterations = 0;
    m_.make_fixture = [](CellName cell, const RunSettings& settings) {
      const FixtureFactory make = FixtureOf(cell.Subsystem());
      return make(std::move(cell), settings);
    };
  }

  std::vector<MeasuredRow> Run(const std::vector<CellName>& cells, int repetitions) {
    m_.settings.repetitions = repetitions;
    return m_.Run(cells, {"--benchmark_repetitions=" + std::to_string(repetitions)});
  }

  void ExpectNothingLeft(FakeRuntime& runtime) {
    EXPECT_TRUE(m_.Shutdown().empty());
    const testing::FakeStats& stats = runtime.stats();
    EXPECT_EQ(stats.live, 0);
    const std::set<std::string> ids(stats.guest_ids.begin(), stats.guest_ids.end());
    EXPECT_EQ(ids.size(), stats.guest_ids.size()) << "each guest has a name of its own";
  }

  Measurement m_;
};

std::vector<double> Samples(const std::vector<MeasuredRow>& rows) {
  std::vector<double> samples;
  for (const MeasuredRow& row : rows) {
    for (const auto& [name, value] : row.counters) {
      if (name.starts_with("boot_") && IsSampleName(name)) samples.push_back(value);
    }
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

TEST_F(StartupTest, BootsAsOftenAsTheProfileAsksInAllRepetitionsTogether) {
  const struct {
    protocol::Profile profile;
    int repetitions;
    int boots_each;
  } cases[] = {{protocol::kSmoke, 1, 2},
               {protocol::kQuick, 1, 20},
               {protocol::kQuick, 3, 7},
               {protocol::kFull, 9, 34}};
  FakeRuntime& runtime = m_.Add("alpha");
  int expected = 0;
  for (const auto& c : cases) {
    m_.settings.profile = c.profile;
    const auto rows = Run({BootCell("warm")}, c.repetitions);
    expected += 1 + c.boots_each * c.repetitions;  // the first is not counted
    EXPECT_EQ(runtime.stats().launches, expected);
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(c.repetitions));
    for (const MeasuredRow& row : rows) {
      EXPECT_EQ(row.failure, "");
      EXPECT_EQ(row.iterations, c.boots_each);
    }
  }
  EXPECT_EQ(runtime.stats().shutdowns, expected);
  EXPECT_EQ(runtime.stats().most_live, 1);
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, BootsAsOftenAsTheUserAsks) {
  FakeRuntime& runtime = m_.Add("alpha");
  m_.settings.fixed_iterations = 3;
  const auto rows = Run({BootCell("warm")}, 2);
  EXPECT_EQ(runtime.stats().launches, 1 + 2 * 3);
  EXPECT_EQ(rows.at(0).iterations, 3);
}

TEST_F(StartupTest, ThePhasesAddUpToTheTimeAndTheSamplesToItsMean) {
  m_.Add("alpha");
  m_.settings.fixed_iterations = 5;
  for (const MeasuredRow& row : Run({BootCell("warm")}, 2)) {
    const auto& c = row.counters;
    const double sum_ms = c.at("boot_process_ms") + c.at("boot_agent_ms") + c.at("boot_reply_ms");
    EXPECT_NEAR(sum_ms * 1e6, row.real_ns, 10);
    const std::vector<double> samples = Samples({row});
    ASSERT_EQ(samples.size(), 5u);
    double mean_ms = 0;
    for (const double sample : samples) mean_ms += sample / 5;
    EXPECT_NEAR(mean_ms * 1e6, row.real_ns, 10);
    EXPECT_GT(c.at("stop_ms"), 0);
    EXPECT_GT(c.at("host_cpu_ns"), 0);
    EXPECT_FALSE(c.contains("boot_kernel_ms")) << "there is no guest kernel";
  }
}

TEST_F(StartupTest, TheCpuTimeOfABootEndsWithItsFirstReply) {
  constexpr std::chrono::nanoseconds kBoot(7000);
  const auto cpu = std::make_shared<std::atomic<std::int64_t>>(kBoot.count());
  Behaviour measured;
  measured.on_launch = [cpu, kBoot](int) { *cpu = kBoot.count(); };
  measured.on_request = [cpu](const Message& request, const std::string&) {
    // The agent measures its clock, for a millisecond.
    if (std::holds_alternative<protocol::HelloRequest>(request)) *cpu += 1'000'000;
    return Reaction::kForward;
  };
  measured.host_cpu = [cpu] { return std::chrono::nanoseconds(*cpu); };
  m_.Add("alpha", measured);
  const MeasuredRow row = Run({BootCell("warm")}, 1).at(0);
  ASSERT_EQ(row.failure, "");
  EXPECT_EQ(row.counters.at("host_cpu_ns"), kBoot.count());
}

TEST_F(StartupTest, AGuestKernelHasAPhaseOfItsOwn) {
  Behaviour machine;
  machine.on_reply = [](Message& reply, const std::string&) {
    if (auto* hello = std::get_if<protocol::HelloReply>(&reply)) {
      hello->facts.emplace_back("kernel_start_ns", std::to_string(hello->agent_start_ns));
    }
  };
  m_.Add("alpha", machine);
  m_.settings.fixed_iterations = 3;
  const MeasuredRow row = Run({BootCell("warm")}, 1).at(0);
  ASSERT_EQ(row.failure, "");
  const auto& c = row.counters;
  EXPECT_NEAR((c.at("boot_process_ms") + c.at("boot_kernel_ms") + c.at("boot_agent_ms") +
               c.at("boot_reply_ms")) *
                  1e6,
              row.real_ns, 10);
}

TEST_F(StartupTest, QuantilesAreThoseOfAllBootsAndStandInTheLastRow) {
  Behaviour uneven;
  uneven.on_launch = [](int launches) {
    if (launches % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
  };
  m_.Add("alpha", uneven);
  m_.settings.fixed_iterations = 7;
  const auto measured = Run({BootCell("warm")}, 3);
  ASSERT_EQ(measured.size(), 3u);
  std::vector<benchmark::BenchmarkReporter::Run> rows(3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [name, value] : measured[i].counters) rows[i].counters[name] = value;
  }
  AddBootQuantiles(rows);
  EXPECT_FALSE(rows[0].counters.contains("p50_ns"));
  EXPECT_FALSE(rows[1].counters.contains("p50_ns"));
  const std::vector<double> samples = Samples(measured);
  ASSERT_EQ(samples.size(), 21u);
  std::map<std::string, double> last;
  for (const auto& [name, counter] : rows[2].counters) last[name] = counter.value;
  EXPECT_EQ(last.at("boots"), 21);
  EXPECT_NEAR(last.at("p50_ns"), samples[10] * 1e6, 1);
  EXPECT_NEAR(last.at("p90_ns"), samples[18] * 1e6, 1);
  EXPECT_NEAR(last.at("p99_ns"), samples[20] * 1e6, 1);
  EXPECT_LE(last.at("stop_p50_ns"), last.at("stop_p99_ns"));
}

TEST_F(StartupTest, OnlyColdBootsAskForAColdCache) {
  FakeRuntime& runtime = m_.Add("alpha");
  m_.settings.fixed_iterations = 4;
  Run({BootCell("warm"), MemoryCell("idle"), DensityCell(2, "sequence")}, 1);
  EXPECT_EQ(runtime.stats().cold_launches, 0);
  Run({BootCell("cold")}, 2);
  EXPECT_EQ(runtime.stats().cold_launches, 8);
}

TEST_F(StartupTest, ThePoolsGuestIsGoneMeanwhileAndComesBack) {
  FakeRuntime& runtime = m_.Add("alpha");
  m_.settings.fixed_iterations = 2;
  const auto rows = Run({CountsCell(1, "alpha"), BootCell("warm"), CountsCell(2, "alpha")}, 1);
  for (const MeasuredRow& row : rows) EXPECT_EQ(row.failure, "") << row.name;
  EXPECT_EQ(runtime.stats().most_live, 1);
  EXPECT_EQ(runtime.stats().launches, 1 + (1 + 2) + 1);
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, ABootThatFailsCostsItsCellAlone) {
  Behaviour fails_once;
  fails_once.on_launch = [](int launches) {
    if (launches == 4) throw Error("there is no room");
  };
  FakeRuntime& runtime = m_.Add("alpha", fails_once);
  m_.settings.fixed_iterations = 5;
  const auto rows = Run({BootCell("warm"), BootCell("cold")}, 2);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].failure, "ERROR: there is no room");
  EXPECT_EQ(rows[1].failure, "ERROR: there is no room");
  EXPECT_EQ(rows[2].failure, "");
  EXPECT_EQ(rows[3].failure, "");
  EXPECT_EQ(runtime.stats().launches, 4 + 2 * 5);
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, AGuestThatDoesNotAnswerCostsItsCellAlone) {
  Behaviour mute;
  auto boots = std::make_shared<std::atomic<int>>(0);
  mute.on_launch = [boots](int launches) { *boots = launches; };
  mute.on_request = [boots](const Message&, const std::string&) {
    return *boots == 3 ? Reaction::kDie : Reaction::kForward;
  };
  FakeRuntime& runtime = m_.Add("alpha", mute);
  m_.settings.fixed_iterations = 4;
  const auto rows = Run({BootCell("warm"), BootCell("cold")}, 1);
  EXPECT_TRUE(rows.at(0).failure.starts_with("ERROR: ")) << rows.at(0).failure;
  EXPECT_NE(rows.at(0).failure.find("the fake console"), std::string::npos);
  EXPECT_EQ(rows.at(1).failure, "");
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, ACacheThatCannotBeEvictedSkipsTheCell) {
  Behaviour pinned;
  pinned.on_launch = [](int launches) {
    if (launches > 1) throw CannotRunHere("a process has it mapped");
  };
  m_.Add("alpha", pinned);
  const auto rows = Run({BootCell("cold")}, 1);
  EXPECT_EQ(rows.at(0).failure, "SKIPPED: a process has it mapped");
}

TEST_F(StartupTest, AClockThatIsWrongIsNoShortBoot) {
  Behaviour liar;
  liar.on_reply = [](Message& reply, const std::string&) {
    if (auto* hello = std::get_if<protocol::HelloReply>(&reply))
      hello->agent_start_ns -= 1'000'000'000;
  };
  FakeRuntime& runtime = m_.Add("alpha", liar);
  const auto rows = Run({BootCell("warm")}, 1);
  EXPECT_NE(rows.at(0).failure.find("clock cannot be trusted"), std::string::npos)
      << rows.at(0).failure;
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, MemoryIsToldApartIntoTheGuestsAndTheRuntimes) {
  Behaviour sized;
  sized.memory.pss_bytes = 100 << 20;
  sized.memory.guest_bytes = 70 << 20;
  sized.memory.processes = 3;
  FakeRuntime& runtime = m_.Add("alpha", sized);
  const auto rows = Run({MemoryCell("idle")}, 2);
  ASSERT_EQ(rows.size(), 2u);
  for (const MeasuredRow& row : rows) {
    ASSERT_EQ(row.failure, "");
    EXPECT_EQ(row.counters.at("overhead_pss_bytes"), 30 * kMiB);
    EXPECT_EQ(row.counters.at("guest_pss_bytes"), 70 * kMiB);
    EXPECT_EQ(row.counters.at("pss_bytes"),
              row.counters.at("guest_pss_bytes") + row.counters.at("overhead_pss_bytes"));
    EXPECT_EQ(row.counters.at("processes"), 3);
    EXPECT_TRUE(row.counters.contains("host_memory_bytes"));
    EXPECT_GT(row.real_ns, 0);
  }
  EXPECT_EQ(runtime.stats().launches, 1 + 2);
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, TheTimesOfAllIterationsCountAndNotTheLastOneAlone) {
  constexpr auto kDelay = std::chrono::milliseconds(100);
  const auto slow = std::make_shared<std::atomic<bool>>(false);  // the next reply
  Behaviour sized;
  sized.memory.pss_bytes = 100 << 20;
  sized.on_launch = [slow](int launches) { *slow = launches % 2 == 1; };
  sized.on_request = [slow, kDelay](const Message&, const std::string&) {
    if (slow->exchange(false)) std::this_thread::sleep_for(kDelay);
    return Reaction::kForward;
  };
  m_.Add("alpha", sized);
  const auto rows =
      m_.Run({MemoryCell("idle")}, {"--benchmark_min_time=0.3" HVBENCH_MIN_TIME_SUFFIX});
  ASSERT_EQ(rows.at(0).failure, "");
  ASSERT_GT(rows.at(0).iterations, 1);
  EXPECT_NEAR(rows.at(0).real_ns, 50e6, 20e6) << "half of the boots are slow";
}

TEST_F(StartupTest, MemoryThatCannotBeReadOrTakenSkipsTheCell) {
  FakeRuntime& runtime = m_.Add("alpha");  // tells no PSS, and its agent has other kernels
  const auto rows = Run({MemoryCell("idle"), MemoryCell("touched_64mib")}, 1);
  EXPECT_TRUE(rows.at(0).failure.starts_with("SKIPPED: ")) << rows.at(0).failure;
  EXPECT_NE(rows.at(0).failure.find("PSS"), std::string::npos);
  EXPECT_TRUE(rows.at(1).failure.starts_with("SKIPPED: ")) << rows.at(1).failure;
  EXPECT_NE(rows.at(1).failure.find("no kernel that touches 64 MiB"), std::string::npos);
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, MemoryIsTouchedByTheKernelThatSaysThatItDoes) {
  Behaviour sized;
  sized.memory.pss_bytes = 100 << 20;
  sized.memory.guest_bytes = 70 << 20;
  FakeRuntime& runtime = m_.Add("alpha", sized);
  m_.settings.kernels["test/spin"].parameter_sets = {{kSmoke, {{"ns", "1"}}}};
  m_.settings.kernels["test/counts"].parameter_sets = {{kSmoke, {{"n", "1"}}},
                                                       {protocol::kTouched64Mib, {{"n", "7"}}}};
  EXPECT_EQ(Run({MemoryCell("touched_64mib")}, 1).at(0).failure, "");
  const auto prepares = runtime.stats().Prepares();
  ASSERT_EQ(prepares.size(), 1u);
  EXPECT_EQ(prepares[0].kernel, "test/counts");
  EXPECT_EQ(prepares[0].params, (protocol::Params{{"n", "7"}}));
}

TEST_F(StartupTest, MemoryIsTouchedFirstInAGuestOfItsOwn) {
  FakeRuntime& runtime = m_.Add("alpha");
  m_.settings.kernels["test/counts"].parameter_sets = {{protocol::kTouched64Mib, {{"n", "7"}}}};
  m_.settings.fixed_iterations = 2;
  const CellName cell = {"startup/first_touch", {{"region_mib", "64"}, {"pages", "4k"}}, "alpha"};
  EXPECT_EQ(Run({cell}, 1).at(0).failure, "");
  const auto prepares = runtime.stats().Prepares();
  ASSERT_EQ(prepares.size(), 2u);
  for (const protocol::PrepareRequest& prepare : prepares) {
    EXPECT_EQ(prepare.kernel, "test/counts");
    EXPECT_EQ(prepare.iterations, 1u) << "trial batches would touch it before";
    EXPECT_EQ(prepare.params, cell.params);
  }
  EXPECT_EQ(runtime.stats().launches, 1 + 2) << "one that is not counted";
  ExpectNothingLeft(runtime);
}

TEST_F(StartupTest, DensityHasAllGuestsUpAtOnce) {
  for (const char* order : {"sequence", "parallel"}) {
    Measurement fresh;
    FakeRuntime& runtime = fresh.Add("alpha");
    fresh.make_fixture = m_.make_fixture;
    fresh.settings.repetitions = 2;
    const auto rows = fresh.Run({DensityCell(4, order)}, {"--benchmark_repetitions=2"});
    ASSERT_EQ(rows.size(), 2u);
    for (const MeasuredRow& row : rows) {
      ASSERT_EQ(row.failure, "");
      EXPECT_EQ(row.iterations, 1);
      for (const char* guest : {"001", "002", "003", "004"}) {
        const std::string name = std::string("guest_") + guest;
        EXPECT_GT(row.counters.at(name + "_boot_ms"), 0);
        EXPECT_EQ(row.counters.contains(name + "_memory_bytes"), order[0] == 's');
      }
      EXPECT_NEAR(row.counters.at("items_per_second"), 4e9 / row.real_ns, 1e-3 * 4e9 / row.real_ns);
      const double later_half =
          (row.counters.at("guest_003_boot_ms") + row.counters.at("guest_004_boot_ms")) / 2;
      EXPECT_NEAR(row.counters.at("marginal_boot_ms"), later_half, 1e-5);
    }
    EXPECT_EQ(runtime.stats().most_live, 4);
    EXPECT_EQ(runtime.stats().launches, 1 + 2 * 4);
    EXPECT_TRUE(fresh.Shutdown().empty());
    EXPECT_EQ(runtime.stats().live, 0);
  }
}

TEST_F(StartupTest, OneOfManyThatDoesNotBootCostsTheCellAndTheOthersAreStopped) {
  for (const char* order : {"sequence", "parallel"}) {
    Measurement fresh;
    Behaviour third;
    third.on_launch = [](int launches) {
      if (launches == 4) throw Error("the third one fails");
    };
    FakeRuntime& runtime = fresh.Add("alpha", third);
    fresh.make_fixture = m_.make_fixture;
    const auto rows = fresh.Run({DensityCell(4, order), DensityCell(2, order)}, {});
    EXPECT_EQ(rows.at(0).failure, "ERROR: the third one fails") << order;
    EXPECT_EQ(rows.at(1).failure, "") << order;
    EXPECT_TRUE(fresh.Shutdown().empty());
    EXPECT_EQ(runtime.stats().live, 0);
  }
}

TEST_F(StartupTest, GuestsThatDoNotFitIntoMemorySkipTheCell) {
  FakeRuntime& runtime = m_.Add("alpha");
  const auto rows = Run({DensityCell(10'000'000, "sequence")}, 1);
  EXPECT_TRUE(rows.at(0).failure.starts_with("SKIPPED: 10000000 guests of 512 MiB do not fit"))
      << rows.at(0).failure;
  EXPECT_LE(runtime.stats().launches, 1);
}

TEST(MakeHostCells, HasTheRuntimesOfACellSideBySide) {
  const auto cells = MakeHostCells({}, protocol::kQuick, {"native", "runc"});
  ASSERT_GE(cells.size(), 6u);
  EXPECT_EQ(FormatCellName(cells[0]), "startup/boot/cache:warm/runtime:native");
  EXPECT_EQ(FormatCellName(cells[1]), "startup/boot/cache:warm/runtime:runc");
  EXPECT_EQ(FormatCellName(cells[2]), "startup/boot/cache:cold/runtime:native");
}

std::set<std::string> KernelsOf(const std::vector<CellName>& cells) {
  std::set<std::string> kernels;
  for (const CellName& cell : cells) kernels.insert(cell.kernel);
  return kernels;
}

// A server in the guest, and two kinds of load on it; of another load the server is not there.
Kernels Applications() {
  Kernels kernels;
  kernels["web/server"].name = "web/server";
  kernels["web/flood"].server = kernels["web/drip"].server = "web/server";
  kernels["web/flood"].parameter_sets = {{kSmoke, {{"rate", "9"}}}};
  kernels["web/drip"].parameter_sets = {{kSmoke | protocol::kFirstResponse, {{"rate", "1"}}}};
  kernels["mail/send"].server = "mail/server";
  kernels["mail/send"].parameter_sets = {{kSmoke | protocol::kFirstResponse, {}}};
  for (auto& [name, kernel] : kernels) {
    if (!kernel.server.empty()) kernel.needs = protocol::kPeer;
  }
  return kernels;
}

TEST(NeedsPeer, LoadAndWhatIsServedDo) {
  EXPECT_TRUE(NeedsPeer(Applications(), "web/flood"));
  EXPECT_TRUE(NeedsPeer(Applications(), "startup/web"));
  EXPECT_FALSE(NeedsPeer(Applications(), "web/server"));
  EXPECT_FALSE(NeedsPeer(Applications(), "startup/boot"));
  EXPECT_FALSE(NeedsPeer({}, "startup/web"));
}

TEST(MakeHostCells, AnApplicationIsServedOnceWhereItsServerIsThere) {
  const auto served = [](const Kernels& kernels) {
    std::vector<std::string> names;
    for (const CellName& cell : MakeHostCells(kernels, protocol::kSmoke, {"native"})) {
      if (cell.params.empty()) names.push_back(cell.kernel);
    }
    return names;
  };
  EXPECT_EQ(served(Applications()), std::vector<std::string>{"startup/web"});
  EXPECT_TRUE(served({}).empty());
}

TEST(MakeHostCells, EmulatedMachinesHaveFewerButOfEachKind) {
  const auto emulated = MakeHostCells({}, protocol::kQuick, {"qemu-tcg"});
  const auto accelerated = MakeHostCells({}, protocol::kQuick, {"qemu"});
  EXPECT_LT(emulated.size(), accelerated.size());
  EXPECT_EQ(KernelsOf(emulated), KernelsOf(accelerated));
}

TEST(MakeHostCells, EveryProfileHasCellsOfEachKindAndAllCanBeMade) {
  for (const auto profile : {protocol::kSmoke, protocol::kQuick, protocol::kFull}) {
    RunSettings settings;
    settings.kernels = Applications();
    const auto cells = MakeHostCells(settings.kernels, profile, {"native"});
    for (const CellName& cell : cells) {
      EXPECT_NO_THROW(FixtureOf(cell.Subsystem())(cell, settings));
    }
    const std::set<std::string> kernels = KernelsOf(cells);
    for (const char* kernel :
         {"startup/boot", "startup/density", "startup/memory", "startup/web"}) {
      EXPECT_TRUE(kernels.contains(kernel)) << kernel;
    }
  }
}

}  // namespace
}  // namespace hvbench

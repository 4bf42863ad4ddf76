// The contract of runtime_launchers/launcher.h, held against every registered launcher.
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <thread>

#include "fixtures/images/ext4.h"
#include "fixtures/shared_tsc.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/clock.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/process_state.h"
#include "runtime_launchers/support/wait.h"
#include "runtime_launchers/vm/tsc.h"
#include "tests/contract/contract_environment.h"
#include "tests/unit/runtime_launchers/support/hostile_caller.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr char kNoopKernel[] = "calibration/noop";

protocol::PrepareReply PrepareNoop(ExecBridge& bridge, nanoseconds target) {
  protocol::PrepareRequest request;
  request.kernel = kNoopKernel;
  request.target_ns = static_cast<std::uint64_t>(target.count());
  return bridge.Prepare(request, Soon()).reply;
}

double Ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

TEST_P(LauncherContract, ProbeGivesAVersion) {
  EXPECT_NE(probe().version, "");
  EXPECT_EQ(probe().reason, "");
  const ProbeResult shallow = launcher().Probe(ProbeDepth::kShallow, {});
  EXPECT_TRUE(shallow.usable) << shallow.reason;
  EXPECT_EQ(shallow.version, probe().version);
}

TEST_P(LauncherContract, AgentAnswersAndRunsAKernel) {
  BootedGuest booted = Boot();
  EXPECT_NE(booted.hello.agent_version, "");
  const protocol::PrepareReply prepared = PrepareNoop(*booted.bridge, milliseconds(20));
  EXPECT_GE(prepared.iterations, 1u);
  const auto run = booted.bridge->Run(prepared.iterations, Soon());
  EXPECT_GT(run.reply.elapsed_ns, 0u);
  booted.bridge->Verify(Soon());
  booted.bridge->Cleanup(Soon());

  std::vector<std::int64_t> round_trips;
  for (int i = 0; i < 500; ++i) round_trips.push_back(booted.bridge->Ping(Soon()).RoundTripNs());
  std::sort(round_trips.begin(), round_trips.end());
  std::cout << "[   FACT   ] " << GetParam() << " " << probe().version << ": round trip p50 "
            << round_trips[250] / 1000 << " us, p99 " << round_trips[495] / 1000 << " us\n";
  StopOrderly(booted);
}

// Where it does not, its times are those of its own kernel's clock: right for a machine, and an
// estimate in gVisor.
TEST_P(LauncherContract, AGuestWithoutAMachineOfItsOwnReadsTheHostsCounter) {
  if (!HostKeepsTimeByTsc()) GTEST_SKIP() << "this host keeps time by another source";
  BootedGuest booted = Boot();
  const std::string accelerator = booted.guest->Facts().at("accelerator");
  const std::int64_t khz = SharedTscKhz(*booted.bridge, Soon());
  if (accelerator == "none") {
    ASSERT_EQ(khz, HostTscKhz());
    EXPECT_EQ(booted.bridge->Hello(Soon(), khz).reply.clock, kTscClock);
  }
  StopOrderly(booted);
}

TEST_P(LauncherContract, ReportsPhasesAndFacts) {
  const std::int64_t before_ns = MonotonicRawNs();
  BootedGuest booted = Boot();
  const LaunchPhases phases = booted.guest->Phases();
  EXPECT_GE(phases.launch_called_ns, before_ns);
  EXPECT_GT(phases.process_started_ns, phases.launch_called_ns);
  EXPECT_LT(phases.process_started_ns, MonotonicRawNs());
  const auto facts = booted.guest->Facts();
  for (const char* key : {"command_line", "accelerator", "transport", "guest_kernel", "limits"}) {
    EXPECT_TRUE(facts.contains(key) && !facts.at(key).empty()) << key;
  }
  EXPECT_THROW(booted.guest->TakeEndpoint(), Error);
  StopOrderly(booted);
}

TEST_P(LauncherContract, SharesADirectoryOfTheHostIfItCan) {
  LaunchRequest request = NewRequest();
  request.volume_dir = request.guest_dir / "volume";
  std::filesystem::create_directory(request.volume_dir);
  BootedGuest booted = Boot(request);
  protocol::PrepareRequest prepare;
  prepare.kernel = "disk/append";
  prepare.params = {
      {"call", "fdatasync"}, {"block_kib", "4"}, {"target", "volume"}, {"file_mib", "1"}};
  prepare.iterations = 3;
  try {
    booted.bridge->Prepare(prepare, Soon());
  } catch (const GuestError& error) {
    ASSERT_EQ(error.code(), protocol::ErrorCode::kUnsupported) << error.what();
    StopOrderly(booted);
    GTEST_SKIP() << error.what();
  }
  booted.bridge->Run(3, Soon());
  booted.bridge->Verify(Soon());
  std::vector<std::uintmax_t> sizes;
  for (const auto& entry : std::filesystem::directory_iterator(request.volume_dir)) {
    sizes.push_back(entry.file_size());
  }
  EXPECT_EQ(sizes, std::vector<std::uintmax_t>{3 * 4096}) << "what the guest wrote is on the host";
  booted.bridge->Cleanup(Soon());
  EXPECT_TRUE(std::filesystem::is_empty(request.volume_dir));
  StopOrderly(booted);
}

TEST_P(LauncherContract, AMachineHasItsRootAndItsDiskEachWhereTheAgentLooks) {
  if (!launcher().has_root_image()) GTEST_SKIP() << "its guests have a root file system anyway";
  if (!CanMakeExt4()) GTEST_SKIP() << "needs the package e2fsprogs";
  LaunchRequest request = NewRequest();
  request.root_image = request.guest_dir / "root.ext4";
  MakeExt4(request.root_image, 32);
  request.disk_image = request.guest_dir / "disk.img";
  std::ofstream(request.disk_image).close();
  std::filesystem::resize_file(request.disk_image, 16 << 20);
  BootedGuest booted = Boot(request);
  const auto facts = booted.hello.facts;
  EXPECT_TRUE(std::ranges::any_of(facts, [](const auto& fact) {
    return fact.first == "scratch" && fact.second.find("ext4") != std::string::npos;
  }));
  for (const char* target : {"root", "raw"}) {
    protocol::PrepareRequest prepare;
    prepare.kernel = "disk/fsync";
    prepare.params = {
        {"call", "fdatasync"}, {"block_kib", "4"}, {"target", target}, {"file_mib", "1"}};
    prepare.iterations = 3;
    booted.bridge->Prepare(prepare, Soon());
    booted.bridge->Run(3, Soon());
    booted.bridge->Verify(Soon());
    booted.bridge->Cleanup(Soon());
  }
  StopOrderly(booted);
}

TEST_P(LauncherContract, FrozenGuestUsesNoCpuAndGoesOnAfterwards) {
  BootedGuest booted = Boot();
  const protocol::PrepareReply prepared = PrepareNoop(*booted.bridge, milliseconds(600));
  Exchange<protocol::RunReply> run;
  std::thread worker([&] { run = booted.bridge->Run(prepared.iterations, Soon()); });
  Pause(milliseconds(100), false);
  booted.guest->Freeze();
  booted.guest->Freeze();
  constexpr milliseconds kFrozen{500};
  const nanoseconds before = booted.guest->HostCpu();
  Pause(kFrozen, false);
  const nanoseconds used = booted.guest->HostCpu() - before;
  booted.guest->Thaw();
  booted.guest->Thaw();
  worker.join();
  // What Docker's shim does by itself is not the guest's work, which would take all of the time.
  EXPECT_LT(used, kFrozen / 20);
  EXPECT_GT(run.RoundTripNs(), nanoseconds(milliseconds(800)).count());
  booted.bridge->Verify(Soon());

  booted.guest->Freeze();
  EXPECT_THROW(booted.bridge->Ping(Deadline::In(milliseconds(300))), TimedOut);
  booted.guest->Shutdown(StopMode::kForced, Soon());
}

TEST_P(LauncherContract, CountsTheCpuAndMemoryOfItsHostProcesses) {
  BootedGuest booted = Boot();
  const protocol::PrepareReply prepared = PrepareNoop(*booted.bridge, milliseconds(300));
  const nanoseconds before = booted.guest->HostCpu();
  const auto run = booted.bridge->Run(prepared.iterations, Soon());
  const nanoseconds used = booted.guest->HostCpu() - before;
  const auto cpu_ns = static_cast<std::int64_t>(run.reply.cpu_ns);
  // gVisor counts its guests' CPU time in ticks, and takes a preempted guest for a running one: on
  // a busy machine the host's count is the smaller one.
  EXPECT_GT(used.count(), cpu_ns / 10);
  EXPECT_LT(used.count(), run.RoundTripNs() * 3 / 2 + 50'000'000);
  const GuestMemory memory = booted.guest->Memory();
  EXPECT_GE(memory.processes, 1);
  ASSERT_TRUE(memory.pss_bytes);
  EXPECT_GT(*memory.pss_bytes, 0);
  EXPECT_GT(memory.guest_bytes, 0);
  EXPECT_LE(memory.guest_bytes, *memory.pss_bytes);
  std::cout << "[   FACT   ] " << GetParam() << ": " << Ms(used.count()) << " ms of host CPU for "
            << Ms(cpu_ns) << " ms in the guest, " << memory.processes << " host processes, "
            << *memory.pss_bytes / 1024 << " KiB PSS\n";
  StopOrderly(booted);
}

TEST_P(LauncherContract, CpusAndMemoryAreLimited) {
  BootedGuest booted = Boot();
  std::string vcpus;
  for (const auto& [key, value] : booted.hello.facts) {
    if (key == "vcpus") vcpus = value;
  }
  EXPECT_EQ(vcpus, "1");
  const pid_t pid = PidOfPidfd(booted.guest->DeathFd());
  ASSERT_GT(pid, 0);
  EXPECT_NE(StatusField(pid, "Name"), "docker-init") << "it stands in the agent's place";
  EXPECT_EQ(StatusField(pid, "Cpus_allowed_list"),
            std::to_string(booted.request.shape.host_cpus.front()));
  if (booted.guest->Facts()["limits"] == "cgroup") {
    // A process in the guest's group that takes more than the limit must be killed.
    SpawnOptions options;
    options.cgroup_procs = GroupOf(pid, booted.request).ProcsFiles();
    Process hog =
        Process::Spawn({"/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=512M", "count=1"}, options);
    const auto status = hog.Wait(Soon());
    ASSERT_TRUE(status);
    EXPECT_EQ(status->signal, SIGKILL) << status->Describe();
  }
  booted.guest->Shutdown(StopMode::kForced, Soon());
}

// The agent's fact `name`, of a guest that a hostile caller's program boots.
std::string FactOf(const protocol::HelloReply& hello, const std::string& name) {
  for (const auto& [key, value] : hello.facts) {
    if (key == name) return value;
  }
  return "";
}

TEST_P(LauncherContract, GuestsHaveTheStatedStateWhateverTheCallersIs) {
  const LaunchRequest request = NewRequest();
  const std::string state = InChild([&] {
    BecomeSubreaper();  // not inherited
    BecomeHostileCaller();
    BootedGuest booted = Boot(request);
    StopOrderly(booted);
    return FactOf(booted.hello, "process_state");
  });
  launcher().RemoveCaches();  // the child ended without cleaning up
  EXPECT_EQ(DifferencesOfState(state, StatedProcessState()), std::vector<std::string>{}) << state;
  // Those that every kernel tells.
  for (const char* part :
       {"umask:", "nice:", "policy:", "oom_score_adj:", "signals_blocked:", "signals_ignored:",
        "environment:", "limit_nofile:1024:", "limit_memlock:", "limit_stack:", "limit_core:"}) {
    EXPECT_NE(state.find(part), std::string::npos) << part << " in " << state;
  }
}

// An ordinary user's, and that of a container without CAP_SYS_RESOURCE: all guests alike get less.
TEST_P(LauncherContract, GuestsHaveTheLimitsThatTheCallerMayGive) {
  const LaunchRequest request = NewRequest();
  const std::string state = InChild([&] {
    BecomeSubreaper();  // not inherited
    LowerHardLimits();
    DropResourceCapability();
    BootedGuest booted = Boot(request);
    StopOrderly(booted);
    return FactOf(booted.hello, "process_state");
  });
  launcher().RemoveCaches();  // the child ended without cleaning up
  for (const char* part : {"limit_nofile:1024:4096", "limit_memlock:0:0"}) {
    EXPECT_NE(state.find(part), std::string::npos) << part << " in " << state;
  }
}

TEST_P(LauncherContract, DeathIsSeenAtOnceAndExplained) {
  BootedGuest booted = Boot();
  EXPECT_EQ(booted.guest->DeathReason(), "");
  const int death_fd = booted.guest->DeathFd();
  ASSERT_GE(death_fd, 0);
  EXPECT_FALSE(WaitReadable(death_fd, Deadline(), false));
  ASSERT_EQ(syscall(SYS_pidfd_send_signal, death_fd, SIGKILL, nullptr, 0), 0);
  EXPECT_TRUE(WaitReadable(death_fd, Deadline::In(seconds(2)), false));
  const std::string reason = booted.guest->DeathReason();
  // Kata's shim knows that its VMM is gone, and not why.
  const std::string part = GetParam().starts_with("kata") ? "machine" : "9";
  EXPECT_NE(reason.find(part), std::string::npos) << reason;
  EXPECT_THROW(booted.bridge->Ping(Deadline::In(seconds(2))), BridgeClosed);
  booted.guest->Shutdown(StopMode::kOrderly, Soon());
  EXPECT_EQ(booted.guest->DeathReason(), reason);
}

TEST_P(LauncherContract, ShutdownLeavesNothingAndIsIdempotent) {
  for (const StopMode mode : {StopMode::kOrderly, StopMode::kForced}) {
    BootedGuest booted = Boot();
    if (mode == StopMode::kOrderly) booted.bridge->Shutdown(Soon());
    booted.guest->Shutdown(mode, Soon());
    EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
    booted.guest->Shutdown(mode, Soon());
  }
  BootedGuest booted = Boot();
  booted.guest.reset();
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

TEST_P(LauncherContract, HangingAgentIsKilledAtTheDeadline) {
  BootedGuest booted = Boot();
  const auto begin = std::chrono::steady_clock::now();
  booted.guest->Shutdown(StopMode::kOrderly, Deadline::In(milliseconds(300)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_P(LauncherContract, TwoGuestsAtOnce) {
  BootedGuest first = Boot();
  BootedGuest second = Boot();
  first.bridge->Ping(Soon());
  second.bridge->Ping(Soon());
  StopOrderly(first);
  second.bridge->Ping(Soon());
  StopOrderly(second);
}

// Each from a thread of its own, which stays until its guest is gone.
TEST_P(LauncherContract, SeveralAreLaunchedAtOnce) {
  std::vector<std::string> problems(3);
  std::vector<LaunchRequest> requests;
  for (std::size_t i = 0; i < problems.size(); ++i) requests.push_back(NewRequest());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        BootedGuest booted = Boot(requests[i]);
        booted.bridge->Ping(Soon());
        booted.bridge->Shutdown(Soon());
        booted.guest->Shutdown(StopMode::kOrderly, Soon());
      } catch (const std::exception& error) {
        problems[i] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(problems, std::vector<std::string>(problems.size()));
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

TEST_P(LauncherContract, BootsFromAColdCache) {
  LaunchRequest request = NewRequest();
  request.cold_cache = true;
  try {
    BootedGuest booted = Boot(request);
    booted.bridge->Ping(Soon());
    StopOrderly(booted);
  } catch (const CannotRunHere& error) {
    GTEST_SKIP() << error.what();
  }
}

// Ten, or as many as begin within a few seconds: an emulated machine boots for two of them.
TEST_P(LauncherContract, LaunchesInSequence) {
  constexpr std::size_t kLaunches = 10;
  constexpr std::size_t kLeastLaunches = 3;
  const Deadline enough = Deadline::In(seconds(6));
  std::vector<std::int64_t> started_ns;
  std::vector<std::int64_t> replied_ns;
  std::vector<std::int64_t> stopped_ns;
  while (stopped_ns.size() < kLeastLaunches ||
         (stopped_ns.size() < kLaunches && !enough.Passed())) {
    BootedGuest booted = Boot();
    const LaunchPhases phases = booted.guest->Phases();
    started_ns.push_back(phases.process_started_ns - phases.launch_called_ns);
    const std::int64_t stop_ns = MonotonicRawNs();
    replied_ns.push_back(stop_ns - phases.launch_called_ns);
    StopOrderly(booted);
    stopped_ns.push_back(MonotonicRawNs() - stop_ns);
  }
  for (auto* times : {&started_ns, &replied_ns, &stopped_ns}) {
    std::sort(times->begin(), times->end());
  }
  const std::size_t middle = stopped_ns.size() / 2;
  std::cout << "[   FACT   ] " << GetParam() << ": median of " << stopped_ns.size() << ": started "
            << Ms(started_ns[middle]) << " ms, replied " << Ms(replied_ns[middle])
            << " ms, stopped in " << Ms(stopped_ns[middle]) << " ms\n";
}

TEST_P(LauncherContract, MissingAgentIsAClearErrorThatLeavesNothing) {
  LaunchRequest request = NewRequest();
  request.agent = "/nonexistent/hvbench-agent";
  try {
    launcher().Launch(request);
    FAIL() << "launched without an agent";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(request.agent.string()), std::string::npos)
        << error.what();
  }
}

TEST_P(LauncherContract, AgentThatCannotRunIsAnErrorOrADeath) {
  LaunchRequest request = NewRequest();
  const std::filesystem::path agent = request.guest_dir.parent_path() / "not-a-program";
  std::ofstream(agent) << "\x7f"
                          "ELF but not more";
  std::filesystem::permissions(agent, std::filesystem::perms(0755));
  request.agent = agent;
  request.deadline = Deadline::In(seconds(10));
  try {
    Boot(request);
    FAIL() << "a broken agent answered";
  } catch (const Error& error) {
    EXPECT_GT(std::string(error.what()).size(), 20u) << error.what();
    std::cout << "[   FACT   ] " << error.what() << "\n";
  }
}

TEST_P(LauncherContract, MissingBinaryIsAReasonAndAClearError) {
  const std::filesystem::path binary = "/nonexistent/runtime";
  const auto broken = MakeLauncher({GetParam(), binary, {}});
  const ProbeResult result = broken->Probe(ProbeDepth::kShallow, {});
  if (result.usable) GTEST_SKIP() << GetParam() << " has no binary of its own";
  EXPECT_NE(result.reason.find(binary.string()), std::string::npos) << result.reason;
  EXPECT_THROW(broken->Launch(NewRequest()), Error);
}

TEST_P(LauncherContract, PassedDeadlineFailsTheLaunchAndLeavesNothing) {
  LaunchRequest request = NewRequest();
  request.deadline = Deadline();
  try {
    // Where the process runs as soon as it is spawned there is nothing to wait for.
    launcher().Launch(request);
  } catch (const Error&) {
  }
}

TEST_P(LauncherContract, LaunchesAgainAfterItsCachesWereRemoved) {
  launcher().RemoveCaches();
  BootedGuest booted = Boot();
  StopOrderly(booted);
  launcher().RemoveCaches();
  launcher().RemoveCaches();
}

// In a child, which ends without clean-up while its guest runs.
TEST_P(LauncherContract, RemoveStaleRemovesWhatAKilledProgramLeft) {
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
  // The name is free again.
  std::filesystem::remove_all(request.guest_dir);
  std::filesystem::create_directory(request.guest_dir);
  BootedGuest again = Boot(request);
  StopOrderly(again);
}

// Last: an interrupt lasts for the rest of the program.
TEST_P(LauncherContract, ZInterruptEndsALaunchButNotAShutdown) {
  const LaunchRequest request = NewRequest();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int result = 1;
    try {
      BecomeSubreaper();  // not inherited
      BootedGuest booted = Boot();
      RequestInterrupt();
      booted.guest->Shutdown(StopMode::kOrderly, Deadline::In(milliseconds(100)));
      result = 2;
      launcher().Launch(request);
      result = GetParam() == "native" ? 0 : 3;  // there is no wait in its launch
    } catch (const Interrupted&) {
      result = result == 2 ? 0 : 4;
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
    }
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  launcher().RemoveCaches();  // the child ended without cleaning up
}

INSTANTIATE_TEST_SUITE_P(Runtime, LauncherContract, ::testing::ValuesIn(RegisteredKinds()),
                         [](const auto& test) { return TestNameOf(test.param); });

}  // namespace
}  // namespace hvbench

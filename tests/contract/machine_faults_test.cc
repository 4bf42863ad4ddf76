// What can go wrong with a virtual machine: each a clear error at once, and nothing left behind.
// HVBENCH_TEST_PARALLEL_BOOTS=20 and HVBENCH_TEST_SEQUENTIAL_BOOTS=200 are the full form.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>

#include "fixtures/boot_timeline.h"
#include "fixtures/images/image_cache.h"
#include "runtime_launchers/support/bounded_log.h"
#include "runtime_launchers/support/clock.h"
#include "runtime_launchers/support/cpu_set.h"
#include "tests/contract/contract_environment.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// A few where the environment does not say otherwise: an emulated machine boots for two seconds.
int BootsOf(const char* variable) {
  constexpr int kFew = 4;
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::stoi(text) : kFew;
}

int EntriesOf(const char* dir) {
  int count = 0;
  for (auto entry = fs::directory_iterator(dir); entry != fs::directory_iterator(); ++entry) {
    ++count;
  }
  return count;
}

int LinesOf(const char* file, const std::string& part = "") {
  std::ifstream stream(file);
  int count = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.find(part) != std::string::npos) ++count;
  }
  return count;
}

class MachineFaults : public LauncherContract {
 protected:
  LaunchRequest FaultRequest() {
    LaunchRequest request = NewRequest();
    request.agent = HVBENCH_FAULT_AGENT;
    return request;
  }

  static void Prepare(BootedGuest& booted, const std::string& kernel) {
    protocol::PrepareRequest request;
    request.kernel = kernel;
    request.iterations = 1;
    booted.bridge->Prepare(request, Deadline::In(seconds(20)));
  }

  // Boots, runs `kernel`, and expects the guest's death with `reason` long before the deadline.
  void ExpectDeath(const std::string& kernel, const std::string& reason) {
    BootedGuest booted = Boot(FaultRequest());
    Prepare(booted, kernel);
    const std::int64_t begin_ns = MonotonicRawNs();
    EXPECT_THROW(booted.bridge->Run(1, Deadline::In(seconds(60))), BridgeClosed);
    const std::int64_t seen_ns = MonotonicRawNs() - begin_ns;
    EXPECT_LT(seen_ns, std::int64_t{30'000'000'000});
    // The bridge may close a moment before the VMM has ended.
    WaitForDeath(booted);
    const std::string said = booted.guest->DeathReason();
    EXPECT_NE(said.find(reason), std::string::npos) << said << "\n" << booted.guest->ConsoleTail();
    std::cout << "[   FACT   ] " << GetParam() << " " << kernel << ": seen after "
              << seen_ns / 1'000'000 << " ms: the guest " << said << "\n";
    booted.guest->Shutdown(StopMode::kForced, Deadline::In(seconds(20)));
  }

  static void WaitForDeath(BootedGuest& booted) {
    const Deadline deadline = Deadline::In(seconds(20));
    while (booted.guest->DeathReason().empty() && !deadline.Passed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // What a boot may leak, by its kind.
  std::map<std::string, int> Count() const {
    const BoundedLog first;  // from which on the thread that drains all of them is there
    return {{"open files", EntriesOf("/proc/self/fd")},
            {"threads", EntriesOf("/proc/self/task")},
            {"mounts", LinesOf("/proc/self/mountinfo")},
            {"unix sockets", LinesOf("/proc/net/unix", work_dir().string())},
            {"network devices", EntriesOf("/sys/class/net")},
            {"files", EntriesOf(work_dir().c_str())},
            {"processes, cgroups, ...", static_cast<int>(LeftoversAfterGrace().size())}};
  }

  void ExpectNothingLeaked(const std::map<std::string, int>& before, const std::string& what) {
    launcher().RemoveCaches();  // what it keeps on purpose, such as a snapshot
    const auto after = Count();
    EXPECT_EQ(after, before);
    std::cout << "[   FACT   ] " << GetParam() << ": " << what;
    for (const auto& [kind, count] : after) std::cout << "; " << kind << " " << count;
    std::cout << "\n";
  }

  // The launch fails in one sentence with `part` in it.
  void ExpectNoLaunch(const fs::path& kernel, const std::string& part) {
    ImageCache images(work_dir() / "images", kernel);
    RuntimeOptions options{GetParam(), {}, {}};
    options.images = &images;
    const auto broken = MakeLauncher(options);
    const LaunchRequest trial = FaultRequest();
    const ProbeResult probe = broken->Probe(ProbeDepth::kTrial, trial);
    fs::remove_all(trial.guest_dir);
    EXPECT_FALSE(probe.usable) << kernel;
    EXPECT_NE(probe.reason.find(part), std::string::npos) << probe.reason;
    EXPECT_NE(probe.fix, "");
    const LaunchRequest request = FaultRequest();
    try {
      broken->Launch(request);
      ADD_FAILURE() << "launched " << kernel;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
    fs::remove_all(request.guest_dir);
  }
};

TEST_P(MachineFaults, ABootsPhasesAreInTheirOrder) {
  BootedGuest booted = Boot(FaultRequest());
  const auto ping = booted.bridge->Ping(Deadline::In(seconds(20)));
  const ClockSample sample{ping.sent_ns + ping.RoundTripNs() / 2,
                           static_cast<std::int64_t>(ping.reply.now_ns), ping.RoundTripNs() / 2,
                           ping.RoundTripNs()};
  const BootTimeline boot =
      MakeBootTimeline(booted.guest->Phases(), booted.hello, sample, ping.received_ns);
  const std::int64_t unsure_ns = boot.uncertainty_ns + 20'000'000;  // a skew of 1 % over 2 s
  ASSERT_NE(boot.guest_kernel_entered_ns.has_value(), GetParam().ends_with("-snapshot"))
      << "only a machine that is restored enters no kernel";
  if (boot.guest_kernel_entered_ns) {
    EXPECT_LT(boot.launch_called_ns, *boot.guest_kernel_entered_ns + unsure_ns);
    EXPECT_LT(*boot.guest_kernel_entered_ns, boot.agent_started_ns);
  }
  EXPECT_LT(boot.launch_called_ns, boot.agent_started_ns + unsure_ns);
  EXPECT_LT(boot.agent_started_ns, boot.first_reply_ns);
  StopOrderly(booted);
}

TEST_P(MachineFaults, AKernelPanicIsSeenAtOnce) { ExpectDeath("fault/panic", "panicked: sysrq"); }

TEST_P(MachineFaults, RunningOutOfMemoryIsSeenAtOnce) {
  ExpectDeath("fault/out_of_memory", "panicked: System is deadlocked on memory");
}

TEST_P(MachineFaults, TheAgentsDeathIsSeenAtOnce) {
  ExpectDeath("fault/killed_agent", "panicked: Attempted to kill init");
}

TEST_P(MachineFaults, AResetIsSeenAtOnce) { ExpectDeath("fault/reset", "machine went down"); }

TEST_P(MachineFaults, AKilledVmmEndsTheRun) {
  BootedGuest booted = Boot(FaultRequest());
  Prepare(booted, "fault/endless");
  std::thread killer([fd = booted.guest->DeathFd()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
  });
  EXPECT_THROW(booted.bridge->Run(1, Deadline::In(seconds(60))), BridgeClosed);
  killer.join();
  WaitForDeath(booted);
  EXPECT_NE(booted.guest->DeathReason().find("signal 9"), std::string::npos);
  booted.guest->Shutdown(StopMode::kForced, Deadline::In(seconds(20)));
}

TEST_P(MachineFaults, AKernelThatIsMissingCutOffOrNoneIsOneSentence) {
  const auto before = Count();
  ExpectNoLaunch("", "no guest kernel image");
  ExpectNoLaunch("/nonexistent/vmlinuz", "/nonexistent/vmlinuz");
  ExpectNoLaunch("/proc/self/exe", "no Linux kernel");
  const fs::path kernel = FindGuestKernel({});
  const fs::path cut = work_dir() / "vmlinuz-cut";
  fs::copy_file(kernel, cut);
  fs::resize_file(cut, fs::file_size(cut) / 2);
  ExpectNoLaunch(cut, "damaged or cut off");
  fs::remove(cut);
  fs::remove_all(work_dir() / "images");
  ExpectNothingLeaked(before, "four kernels refused");
}

TEST_P(MachineFaults, BootsInParallelLeaveNothing) {
  const int machines = BootsOf("HVBENCH_TEST_PARALLEL_BOOTS");
  const auto before = Count();
  {
    std::vector<BootedGuest> booted;
    for (int i = 0; i < machines; ++i) {
      LaunchRequest request = FaultRequest();
      request.shape.host_cpus = AllowedCpus();
      request.deadline = Deadline::In(seconds(300));
      booted.emplace_back();
      booted.back().request = request;
      booted.back().guest = launcher().Launch(request);
    }
    for (BootedGuest& one : booted) {
      one.bridge = std::make_unique<ExecBridge>(one.guest->TakeEndpoint(), one.request.deadline,
                                                WaitOptions{one.guest->DeathFd(), true});
      EXPECT_NE(one.bridge->Hello(one.request.deadline).reply.agent_version, "");
    }
    for (BootedGuest& one : booted) StopOrderly(one);
    for (BootedGuest& one : booted) fs::remove_all(one.request.guest_dir);
  }
  ExpectNothingLeaked(before, std::to_string(machines) + " machines in parallel");
}

TEST_P(MachineFaults, BootsInSequenceLeaveNothing) {
  const int machines = BootsOf("HVBENCH_TEST_SEQUENTIAL_BOOTS");
  const auto before = Count();
  for (int i = 0; i < machines; ++i) {
    BootedGuest booted = Boot(FaultRequest());
    if (i % 2 == 0) {
      StopOrderly(booted);
    } else {
      booted.guest->Shutdown(StopMode::kForced, Deadline::In(seconds(20)));
    }
    fs::remove_all(booted.request.guest_dir);
  }
  ExpectNothingLeaked(before, std::to_string(machines) + " machines in sequence");
}

INSTANTIATE_TEST_SUITE_P(Runtime, MachineFaults, ::testing::ValuesIn(RegisteredKinds()),
                         [](const auto& test) { return TestNameOf(test.param); });

}  // namespace
}  // namespace hvbench

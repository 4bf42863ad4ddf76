// A signal that ends a run leaves valid JSON and nothing else; SIGKILL leaves what `hvbench
// cleanup` removes.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

// One runtime that needs no daemon of each kind that this machine can have.
class InterruptionTest : public ProgramTest, public testing::WithParamInterface<std::string> {
 protected:
  bool Usable() {
    const auto json =
        nlohmann::json::parse(Run({"doctor", "--json", "--hvbench_runtimes=" + GetParam()}).out);
    for (const auto& runtime : json.at("runtimes")) {
      if (runtime.at("name") != GetParam()) continue;
      reason_ = runtime.at("reason");
      return runtime.at("usable");
    }
    reason_ = "not registered";
    return false;
  }

  // A run of two cells, in the middle of the first.
  Process StartAndAwait() {
    Process program =
        Start({"--hvbench_runtimes=" + GetParam(), "--benchmark_min_time=20",
               "--benchmark_repetitions=2", "--benchmark_filter=syscall/(epoll|stat)/",
               "--benchmark_out=" + (dir_ / "r.json").string()});
    AwaitProgress("syscall/epoll");
    // Into the run, past the boot and the search.
    const Deadline booted = Deadline::In(std::chrono::seconds(3));
    program.Wait(booted);
    return program;
  }

  std::string reason_;
};

TEST_P(InterruptionTest, ASignalLeavesValidJsonAndNothingElse) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Process program = StartAndAwait();
    const auto begin = Deadline::Clock::now();
    program.Kill(signal);
    const ProgramResult result = Finish(std::move(program));
    EXPECT_EQ(result.exit_code, 130) << result.err;
    EXPECT_LT(Deadline::Clock::now() - begin, std::chrono::seconds(10));
    const auto rows = ReadJson("r.json").at("benchmarks");
    std::set<std::string> names;
    for (const auto& row : rows) {
      names.insert(row.at("name"));
      EXPECT_EQ(row.at("error_message"), "SKIPPED: interrupted") << row;
    }
    EXPECT_EQ(names.size(), 2u);
    EXPECT_EQ(Leftovers(), std::vector<std::string>());
  }
}

TEST_P(InterruptionTest, SigkillThenCleanupLeavesNothing) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  {
    Process program = StartAndAwait();
    program.Kill(SIGKILL);
    Finish(std::move(program));
  }
  const std::vector<std::string> left = Leftovers();
  for (const char* kind : {"folder ", "cgroup "}) {
    EXPECT_TRUE(std::ranges::any_of(left, [kind](const auto& l) { return l.starts_with(kind); }))
        << "the test proves nothing: no " << kind;
  }
  const ProgramResult cleanup = Run({"cleanup"});
  EXPECT_EQ(cleanup.exit_code, 0) << cleanup.err;
  EXPECT_NE(cleanup.out.find("removed"), std::string::npos);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
  EXPECT_EQ(Run({"cleanup"}).out, "") << "there is nothing left to remove";
}

TEST_P(InterruptionTest, TheNextRunRemovesWhatAKilledOneLeft) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  {
    Process program = StartAndAwait();
    program.Kill(SIGKILL);
    Finish(std::move(program));
  }
  const ProgramResult next =
      Run({"--hvbench_runtimes=native", "--hvbench_profile=smoke", "--benchmark_filter=noop"});
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

// In the middle of each subsystem, whose cells make more than a guest: files, disks, namespaces,
// fleets of guests, servers.
class SubsystemInterruptionTest : public ProgramTest,
                                  public testing::WithParamInterface<std::string> {
 protected:
  // What a run may make on this machine beside what Leftovers() looks for.
  static std::vector<std::string> Objects() {
    std::vector<std::string> found;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) found.push_back("mount " + line);
    for (const char* dir : {"/sys/class/net", "/sys/class/block", "/run/netns"}) {
      std::error_code none;
      for (const auto& entry : std::filesystem::directory_iterator(dir, none)) {
        std::string backing;  // of a loop device in use
        std::getline(std::ifstream(entry.path() / "loop/backing_file"), backing);
        found.push_back(entry.path().string() + " " + backing);
      }
    }
    std::ranges::sort(found);
    return found;
  }
};

TEST_P(SubsystemInterruptionTest, SigintLeavesTheMachineAsItWas) {
  const std::string runtime = FindExecutable("runc") && geteuid() == 0 ? "runc" : "native";
  const std::vector<std::string> before = Objects();
  Process program =
      Start({"--hvbench_runtimes=" + runtime, "--hvbench_profile=quick", "--benchmark_min_time=20",
             "--benchmark_repetitions=1000", "--benchmark_filter=^" + GetParam(),
             "--benchmark_out=" + (dir_ / "r.json").string()});
  // The first cell of a subsystem makes what all of them share.
  if (program.Wait(Deadline::In(std::chrono::seconds(5)))) {
    const ProgramResult early = Finish(std::move(program));
    ASSERT_NE(early.exit_code, 1) << early.err;
    GTEST_SKIP() << "cannot be measured here: " << early.err;
  }
  program.Kill(SIGINT);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
  EXPECT_EQ(Objects(), before);
}

INSTANTIATE_TEST_SUITE_P(Subsystems, SubsystemInterruptionTest,
                         testing::Values("disk/randrw", "network/tcp_stream", "startup/boot",
                                         "startup/density", "nginx/http/", "mysql/oltp_read_write"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '/', '_');
                           return name;
                         });

INSTANTIATE_TEST_SUITE_P(Runtimes, InterruptionTest,
                         testing::Values("native", "runc", "gvisor", "docker", "qemu-microvm-tcg"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace hvbench::test

// The ways to end beside one signal in the middle of a cell: while it probes, boots or stops,
// twice, with the terminal gone, after nohup.
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/support/http_unix.h"
#include "runtime_launchers/support/identity.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

class EndsTest : public ProgramTest {
 protected:
  // The flag that adds a runtime: runc, but for `cases` of a shell's case over its arguments. "":
  // runc cannot be used here.
  std::string RuncBut(const std::string& name, const std::string& cases) {
    const auto runc = FindExecutable("runc");
    if (!runc || geteuid() != 0) return "";
    const fs::path binary = dir_ / "runtime";
    std::ofstream(binary) << "#!/bin/sh\ncase \" $* \" in\n"
                          << cases << "\nesac\nexec " << runc->string() << " \"$@\"\n";
    fs::permissions(binary, fs::perms(0755));
    const fs::path file = dir_ / "runtimes.json";
    std::ofstream(file) << nlohmann::json{
        {"runtimes", {{{"name", name}, {"launcher", "runc"}, {"binary", binary.string()}}}}};
    return "--hvbench_runtimes_file=" + file.string();
  }

  void ExpectGone(const std::string& what) { EXPECT_EQ(Leftovers(), Nothing()) << what; }
  static std::vector<std::string> Nothing() { return {}; }

  // Until the run has a cgroup, or half a minute.
  void AwaitCgroup() {
    const Deadline deadline = Deadline::In(seconds(30));
    const auto has_cgroup = [&] {
      return std::ranges::any_of(Leftovers(),
                                 [](const auto& l) { return l.starts_with("cgroup"); });
    };
    while (!has_cgroup()) {
      ASSERT_FALSE(deadline.Passed()) << "the run has no cgroup";
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
};

// Google Benchmark ends the program where it cannot read what it wants to know of the CPUs.
TEST_F(EndsTest, AProgramThatGoogleBenchmarkEndsHasMadeNothing) {
  const fs::path size = "/sys/devices/system/cpu/cpu0/cache/index0/size";
  const auto unshare = FindExecutable("unshare");
  if (geteuid() != 0 || !unshare || !fs::exists(size)) {
    GTEST_SKIP() << "needs root, unshare and a CPU whose caches the kernel knows";
  }
  std::ofstream(dir_ / "size") << "none\n";
  const std::string script =
      "mount --bind " + (dir_ / "size").string() + " " + size.string() + " && exec \"$0\" \"$@\"";
  const ProgramResult result = Finish(StartBy(
      {*unshare, "--mount", "/bin/sh", "-c", script},
      {"--hvbench_runtimes=native", "--hvbench_profile=smoke",
       "--benchmark_filter=^calibration/noop/", "--benchmark_out=" + (dir_ / "r.json").string()}));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find(size), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(work_dir_ / "runs"));
  EXPECT_FALSE(fs::exists(dir_ / "r.json"));
  ExpectGone("the program that was ended");
}

TEST_F(EndsTest, ASignalWhileItProbesLeavesNothing) {
  const std::string hanging = RuncBut("hanging", "*' run '*) sleep 60 ;;");
  if (hanging.empty()) GTEST_SKIP() << "needs root and runc";
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    for (const std::string argument : {"doctor", "--benchmark_filter=noop"}) {
      Process program = Start({argument, hanging, "--hvbench_runtimes=hanging"});
      AwaitCgroup();
      program.Kill(signal_number);
      const ProgramResult result = Finish(std::move(program));
      EXPECT_EQ(result.exit_code, 130) << argument << ": " << result.err;
      ExpectGone(argument);
    }
  }
}

TEST_F(EndsTest, WhatAProbeLeftThatWasKilledIsRemoved) {
  const std::string hanging = RuncBut("hanging", "*' run '*) sleep 60 ;;");
  if (hanging.empty()) GTEST_SKIP() << "needs root and runc";
  for (const std::string next : {"cleanup", "doctor"}) {
    {
      Process program = Start({"doctor", hanging, "--hvbench_runtimes=hanging"});
      AwaitCgroup();
      program.Kill(SIGKILL);
      Finish(std::move(program));
    }
    EXPECT_NE(Leftovers(), Nothing()) << "the test proves nothing";
    EXPECT_EQ(Run({next, "--hvbench_runtimes=native"}).exit_code, 0);
    ExpectGone(next);
  }
}

// All containers of the daemon whose name has `part` in it.
std::string ContainersCalled(const std::string& part) {
  const char* const host = getenv("DOCKER_HOST");
  const std::string socket = host == nullptr ? "unix:///var/run/docker.sock" : host;
  return HttpUnixClient(socket.substr(std::string("unix://").size()), /*interruptible=*/false)
      .Send({HttpMethod::kGet,
             "/containers/json?all=true&filters=" + PercentEncode(R"({"name":[")" + part + "\"]}"),
             "", ""},
            Deadline::In(seconds(10)))
      .body;
}

// Also of one that the daemon was making or starting at that moment.
TEST_F(EndsTest, AContainerOfAProbeThatEndsIsRemoved) {
  if (Run({"doctor", "--hvbench_runtimes=docker"}).out.find(" yes ") == std::string::npos) {
    GTEST_SKIP() << "needs a Docker daemon";
  }
  const std::vector<int> signals = {SIGKILL, SIGHUP, SIGKILL};
  for (int i = 0; i < 18; ++i) {
    const int signal_number = signals[static_cast<std::size_t>(i) % signals.size()];
    std::string run;  // as its containers' names begin
    {
      Process program = Start({"doctor", "--hvbench_runtimes=docker"});
      AwaitCgroup();
      std::this_thread::sleep_for(milliseconds(25 * i));
      program.Kill(signal_number);
      std::ostringstream id;
      id << "hvbench-" << std::hex << program.pid() << 'x';
      run = id.str();
      Finish(std::move(program));
    }
    if (signal_number == SIGKILL) {
      EXPECT_EQ(Run({"cleanup"}).exit_code, 0);
    }
    // What a daemon did not end with its request it would have ended by then.
    std::this_thread::sleep_for(milliseconds(200));
    EXPECT_EQ(ContainersCalled(run), "[]\n") << "signal " << signal_number << ", try " << i;
    ExpectGone("try " + std::to_string(i));
  }
}

// Whoever may use the daemon's socket, but no control groups.
TEST_F(EndsTest, AnOrdinaryUserOfDockerIsToldWhyNotAndLeavesNothing) {
  const char* const host = getenv("DOCKER_HOST");
  const std::string socket = host == nullptr ? "/run/docker.sock" : std::string(host).substr(7);
  struct stat status = {};
  const auto setpriv = FindExecutable("setpriv");
  if (geteuid() != 0 || !setpriv || stat(socket.c_str(), &status) != 0) {
    GTEST_SKIP() << "needs root, setpriv and a Docker daemon";
  }
  const std::string user = "65534";
  // Another name of the socket, since the folders above it may be root's alone, as is its home.
  const fs::path reachable = dir_ / "docker.sock";
  std::error_code elsewhere;
  fs::create_hard_link(socket, reachable, elsewhere);
  if (elsewhere) GTEST_SKIP() << "the socket is on another disk: " << elsewhere.message();
  fs::create_directory(work_dir_);
  ASSERT_EQ(chown(dir_.c_str(), 65534, status.st_gid), 0);
  ASSERT_EQ(chown(work_dir_.c_str(), 65534, status.st_gid), 0);
  Process program =
      StartBy({setpriv->string(), "--reuid=" + user, "--regid=" + std::to_string(status.st_gid),
               "--clear-groups", "env", "-i", "HOME=" + dir_.string(),
               "DOCKER_HOST=unix://" + reachable.string()},
              {"doctor", "--hvbench_runtimes=docker"});
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("sudo hvbench"), std::string::npos) << result.out << result.err;
  ExpectGone("doctor");
}

// At moments over the whole life of a run that would measure all.
// The number behind those of the descriptors of /dev/null that the process keeps: the most in a
// row.
rlim_t BehindTheSpareOnes(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd/";
  rlim_t behind = 0;
  std::size_t most = 0;
  std::size_t in_a_row = 0;
  for (rlim_t fd = 3; fd < 100; ++fd) {
    std::error_code gone;
    const bool is_null = fs::read_symlink(folder + std::to_string(fd), gone) == "/dev/null";
    in_a_row = is_null ? in_a_row + 1 : 0;
    if (in_a_row > most) {
      most = in_a_row;
      behind = fd + 1;
    }
  }
  return behind;
}

// Google Benchmark ends the program where it cannot open its file. The limit comes while the run's
// network is made, which is the last that it does before.
TEST_F(EndsTest, WithoutADescriptorForAnythingItIsAnEndInOrder) {
  const auto ip = FindExecutable("ip");
  if (geteuid() != 0 || !ip) GTEST_SKIP() << "needs root and ip";
  const fs::path waits = dir_ / "waits";
  const fs::path go = dir_ / "go";
  fs::create_directory(dir_ / "bin");
  const fs::path wrapper = dir_ / "bin/ip";
  std::ofstream(wrapper) << "#!/bin/sh\ntouch " << waits << "\nwhile ! [ -e " << go
                         << " ]; do sleep 0.01; done\nexec " << *ip << " \"$@\"\n";
  fs::permissions(wrapper, fs::perms(0755));
  Process program = StartBy(
      {"/usr/bin/env", "PATH=" + (dir_ / "bin").string() + ":/usr/bin:/bin"},
      {"--hvbench_runtimes=native", "--hvbench_profile=smoke", "--benchmark_filter=network/tcp_rr",
       "--benchmark_out=" + (dir_ / "r.json").string()});
  const Deadline deadline = Deadline::In(seconds(30));
  while (!fs::exists(waits)) {
    ASSERT_FALSE(deadline.Passed());
    std::this_thread::sleep_for(milliseconds(2));
  }
  // What it opens for a while has numbers above these, and what it keeps has all of those below.
  const rlim_t few = BehindTheSpareOnes(program.pid());
  ASSERT_GT(few, 10u);
  const rlimit limit = {few, few};
  ASSERT_EQ(prlimit(program.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  std::ofstream(go).flush();
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << "no network is a reason to skip: " << result.err;
  EXPECT_NE(result.err.find("Too many open files"), std::string::npos) << result.err;
  EXPECT_GE(ReadJson("r.json").at("benchmarks").size(), 1u);
  ExpectGone("after too few descriptors");
}

TEST_F(EndsTest, ASignalAtAnyMomentLeavesNothing) {
  const bool has_runc = geteuid() == 0 && FindExecutable("runc");
  const std::string runtimes = has_runc ? "native,runc" : "native";
  const std::vector<int> signals = {SIGINT, SIGKILL, SIGHUP, SIGTERM, SIGKILL, SIGXCPU};
  for (int i = 0; i < 18; ++i) {
    Process program = Start({"--hvbench_runtimes=" + runtimes, "--hvbench_profile=smoke",
                             "--benchmark_filter=^(calibration|network/tcp_rr|disk/randread)",
                             "--benchmark_out=" + (dir_ / (std::to_string(i) + ".json")).string()});
    program.Wait(Deadline::In(milliseconds(300 * i)));
    const int signal_number = signals[static_cast<std::size_t>(i) % signals.size()];
    program.Kill(signal_number);
    const ProgramResult result = Finish(std::move(program));
    if (signal_number == SIGKILL) {
      EXPECT_EQ(Run({"cleanup"}).exit_code, 0);
    } else if (result.exit_code != 0 && !result.err.empty()) {
      EXPECT_EQ(result.exit_code, 130) << i << ": " << result.err;
    }
    ExpectGone("signal " + std::to_string(signal_number) + " at moment " + std::to_string(i));
  }
}

TEST_F(EndsTest, AClosedTerminalIsAnEndInOrder) {
  const std::string out = "--benchmark_out=" + (dir_ / "r.json").string();
  const std::string work_dir = "--hvbench_work_dir=" + work_dir_.string();
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    execl(program_.c_str(), program_.c_str(), work_dir.c_str(), "--hvbench_runtimes=native",
          "--benchmark_min_time=20", "--benchmark_filter=syscall/(epoll|stat)/", out.c_str(),
          static_cast<char*>(nullptr));
    _exit(127);
  }
  WatchRunsOf(pid);
  Process program = Process::Adopt(IdentityProof::OfOwnChild(pid));
  std::string said;
  char buffer[4096];
  while (said.find("syscall/epoll") == std::string::npos) {
    const ssize_t n = read(terminal, buffer, sizeof buffer);
    ASSERT_GT(n, 0) << said;
    said.append(buffer, static_cast<std::size_t>(n));
  }
  close(terminal);
  const auto status = program.Wait(Deadline::In(seconds(60)));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->exit_code, 130) << status->Describe();
  EXPECT_FALSE(ReadJson("r.json").at("benchmarks").empty());
  ExpectGone("a closed terminal");
}

TEST_F(EndsTest, AHangUpDoesNotEndWhatNohupStarted) {
  const auto nohup = FindExecutable("nohup");
  if (!nohup) GTEST_SKIP() << "needs nohup";
  Process program =
      StartBy({nohup->string()}, {"--hvbench_runtimes=native", "--benchmark_min_time=1",
                                  "--benchmark_filter=calibration/noop",
                                  "--benchmark_out=" + (dir_ / "r.json").string()});
  AwaitProgress("calibration/noop");
  program.Kill(SIGHUP);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(ReadJson("r.json").at("benchmarks").at(0).contains("error_message"));
}

// The first Ctrl-C waits for a runtime that does not remove its container, while another guest
// still waits, frozen, for its turn.
TEST_F(EndsTest, ASecondCtrlCKillsTheGuestsWithinASecond) {
  const std::string slow =
      RuncBut("a-slow", "*' delete '*'-trial '*) ;;\n*' delete '*) sleep 60 ;;");
  if (slow.empty()) GTEST_SKIP() << "needs root and runc";
  // In turns: native for some 4 s, then the other.
  Process program = Start({slow, "--hvbench_runtimes=native,a-slow", "--benchmark_min_time=3",
                           "--hvbench_compare", "--benchmark_filter=calibration/noop"});
  AwaitProgress("block 1");
  program.Wait(Deadline::In(seconds(6)));
  ASSERT_FALSE(Agents().empty()) << "the test proves nothing";
  program.Kill(SIGINT);
  AwaitProgress("a second Ctrl-C");
  program.Wait(Deadline::In(milliseconds(500)));
  const auto begin = Deadline::Clock::now();
  program.Kill(SIGINT);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_LT(Deadline::Clock::now() - begin, seconds(3));  // 1 s and a loaded machine
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(Agents(), std::vector<pid_t>());
  for (const std::string& left : Leftovers()) EXPECT_TRUE(left.starts_with("folder")) << left;
  std::ofstream(dir_ / "runtime") << "#!/bin/sh\nexit 0\n";
  EXPECT_EQ(Run({"cleanup"}).exit_code, 0);
  ExpectGone("cleanup");
}

}  // namespace
}  // namespace hvbench::test

// The suite's own network: what it measures, what faults cost, and that nothing of it is seen
// outside or stays behind.
#include <net/if.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;

// What this program sees of devices and named namespaces, and of mounts in `dir`: other programs
// may mount at any time.
struct Surroundings {
  std::set<std::string> devices;
  std::set<std::string> named_namespaces;
  std::multiset<std::string> mounts;

  static Surroundings Look(const fs::path& dir) {
    Surroundings now;
    struct if_nameindex* const devices = if_nameindex();
    for (const struct if_nameindex* at = devices; at->if_index != 0; ++at) {
      now.devices.insert(at->if_name);
    }
    if_freenameindex(devices);
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/run/netns", none)) {
      now.named_namespaces.insert(entry.path().filename());
    }
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
      if (line.find(dir) != std::string::npos) now.mounts.insert(line);
    }
    return now;
  }

  bool operator==(const Surroundings&) const = default;
};

void PrintTo(const Surroundings& s, std::ostream* out) {
  for (const std::string& device : s.devices) *out << "device " << device << '\n';
  for (const std::string& name : s.named_namespaces) *out << "namespace " << name << '\n';
  for (const std::string& mount : s.mounts) *out << "mount " << mount << '\n';
}

class NetworkTest : public ProgramTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    if (!FindExecutable("ip")) GTEST_SKIP() << "needs the package iproute2";
  }

  // The peer of a program that runs, or -1.
  static pid_t PeerOf(const Process& program) {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto pid = static_cast<pid_t>(std::stol(name));
      if (ParentOfProcess(pid) != program.pid()) continue;
      std::string command;
      std::getline(std::ifstream(entry.path() / "cmdline"), command);
      if (command.find("--role=peer") != std::string::npos) return pid;
    }
    return -1;
  }

  static bool Failed(const nlohmann::json& row) { return row.value("error_occurred", false); }
  static std::string MessageOf(const nlohmann::json& row) {
    return row.value("error_message", std::string());
  }

  // Three cells; the second is the one that something happens to.
  Process StartThreeCells(const std::vector<std::string>& more = {}) {
    const std::string cells =
        "network/(tcp_rr/request_bytes:1|tcp_stream/direction:up/streams:1|"
        "udp/direction:up/datagram_bytes:64/rate:lossless)/";
    std::vector<std::string> arguments = {
        "--hvbench_runtimes=native", "--benchmark_min_time=2", "--benchmark_repetitions=1",
        "--benchmark_filter=" + cells, "--benchmark_out=" + (dir_ / "r.json").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Process program = Start(arguments);
    AwaitProgress("network/tcp_stream");
    // Past the preparation, which finds the iteration count in less than half a second.
    program.Wait(Deadline::In(std::chrono::milliseconds(1200)));
    return program;
  }
};

TEST_F(NetworkTest, IsMeasuredInItsOwnNamespaces) {
  const Surroundings before = Surroundings::Look(dir_);
  const ProgramResult result =
      Run({"--hvbench_runtimes=native", "--hvbench_profile=smoke", "--benchmark_filter=^network/",
           "--benchmark_out=" + (dir_ / "r.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = ReadJson("r.json");
  EXPECT_GE(json.at("benchmarks").size(), 8u);
  for (const auto& row : json.at("benchmarks")) {
    EXPECT_FALSE(Failed(row)) << row;
    EXPECT_GT(row.at("host_cpu_ns").get<double>(), 0) << row;
    const bool has_peer = row.at("name").get<std::string>().find("/loopback_") == std::string::npos;
    EXPECT_EQ(row.value("peer_cpu_ns", 0.0) > 0, has_peer) << row;
    EXPECT_EQ(row.value("peer_busy_percent", 0.0) > 0, has_peer) << row;
  }
  const auto& context = json.at("context");
  EXPECT_EQ(context.at("runtime.native.guest.network_device"), "eth0");
  EXPECT_EQ(context.at("runtime.native.guest.network_mtu"), context.at("network.mtu"));
  EXPECT_TRUE(context.contains("runtime.native.guest.network_offloads"));
  EXPECT_TRUE(context.contains("network.peer_host_cpus"));
  EXPECT_EQ(Surroundings::Look(dir_), before);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(NetworkTest, IsMadeOnlyForCellsThatNeedIt) {
  const ProgramResult result = Run({"--hvbench_runtimes=native", "--hvbench_profile=smoke",
                                    "--benchmark_filter=network/loopback_tcp_rr|noop",
                                    "--benchmark_out=" + (dir_ / "r.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(ReadJson("r.json").at("context").contains("network.peer"));
}

TEST_F(NetworkTest, APeerThatDiesCostsOneCell) {
  Process program = StartThreeCells();
  const pid_t peer = PeerOf(program);
  ASSERT_GT(peer, 0);
  kill(peer, SIGKILL);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const auto rows = ReadJson("r.json").at("benchmarks");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_FALSE(Failed(rows[0])) << rows[0];
  EXPECT_NE(MessageOf(rows[1]).find("the network peer was killed by signal 9"), std::string::npos)
      << rows[1];
  EXPECT_FALSE(Failed(rows[2])) << rows[2];
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(NetworkTest, AGuestThatStopsReadingCostsOneCell) {
  Process program = StartThreeCells({"--hvbench_timeout_s=6"});
  const std::vector<pid_t> agents = Agents();
  ASSERT_EQ(agents.size(), 1u);
  kill(agents[0], SIGSTOP);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const auto rows = ReadJson("r.json").at("benchmarks");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_FALSE(Failed(rows[0])) << rows[0];
  EXPECT_TRUE(MessageOf(rows[1]).starts_with("ERROR: ")) << rows[1];
  EXPECT_FALSE(Failed(rows[2])) << rows[2];
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

// Runtimes by the ways in which they get their device.
class NetworkInterruptionTest : public NetworkTest,
                                public testing::WithParamInterface<std::string> {
 protected:
  // Nothing if the runtime is unusable here.
  std::optional<Process> StartAndAwait() {
    Process program = Start({"--hvbench_runtimes=" + GetParam(), "--benchmark_min_time=20",
                             "--benchmark_repetitions=1",
                             "--benchmark_filter=network/tcp_stream/direction:both/streams:1/",
                             "--benchmark_out=" + (dir_ / "r.json").string()});
    const Deadline deadline = Deadline::In(std::chrono::seconds(30));
    while (PeerOf(program) < 0 && !deadline.Passed()) {
      const auto status = program.Wait(Deadline::In(std::chrono::milliseconds(20)));
      if (status && status->exit_code == 2) return std::nullopt;
    }
    AwaitProgress("network/tcp_stream");
    program.Wait(Deadline::In(std::chrono::milliseconds(1500)));
    return program;
  }
};

TEST_P(NetworkInterruptionTest, SigintLeavesNothing) {
  const Surroundings before = Surroundings::Look(dir_);
  std::optional<Process> program = StartAndAwait();
  if (!program) GTEST_SKIP() << GetParam() << " is unusable here";
  const Surroundings during = Surroundings::Look(dir_);
  EXPECT_EQ(during.devices, before.devices) << "in the default namespace";
  EXPECT_EQ(during.named_namespaces, before.named_namespaces);
  EXPECT_NE(during.mounts, before.mounts) << "the namespaces are mounted in the run's folder";
  program->Kill(SIGINT);
  const ProgramResult result = Finish(std::move(*program));
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(Surroundings::Look(dir_), before);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_P(NetworkInterruptionTest, SigkillThenCleanupLeavesNothing) {
  const Surroundings before = Surroundings::Look(dir_);
  std::optional<Process> program = StartAndAwait();
  if (!program) GTEST_SKIP() << GetParam() << " is unusable here";
  const UniqueFd peer(static_cast<int>(syscall(SYS_pidfd_open, PeerOf(*program), 0)));
  program->Kill(SIGKILL);
  Finish(std::move(*program));
  const ProgramResult cleanup = Run({"cleanup"});
  EXPECT_EQ(cleanup.exit_code, 0) << cleanup.err;
  EXPECT_EQ(Surroundings::Look(dir_), before);
  EXPECT_TRUE(WaitReadable(peer.get(), Deadline::In(std::chrono::seconds(5)), false))
      << "the peer lives on";
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Runtimes, NetworkInterruptionTest,
                         testing::Values("native", "runc", "gvisor", "docker"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace hvbench::test

#include "tests/contract/contract_environment.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

#include "fixtures/images/image_cache.h"
#include "runtime_launchers/containerd/client.h"
#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"
#include "tests/contract/private_docker.h"
#include "tests/support/disk_folder.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kBootTimeout = std::chrono::seconds(60);
constexpr auto kStopTimeout = std::chrono::seconds(10);

// Started with the first test that may need it; stopped at the end of the program.
class Daemons : public ::testing::Environment {
 public:
  static Daemons& Instance() {
    static Daemons* const kDaemons = new Daemons;  // owned by GoogleTest once added
    return *kDaemons;
  }
  void StartDocker() {
    if (!std::exchange(docker_asked_, true)) docker_ = PrivateDocker::StartIfNeeded();
  }
  bool Owns(pid_t pid) const { return docker_ && docker_->pid() == pid; }
  void TearDown() override { docker_.reset(); }

 private:
  bool docker_asked_ = false;
  std::unique_ptr<PrivateDocker> docker_;
};

// For all tests of the program: making images takes longer than many a test.
class Images : public ::testing::Environment {
 public:
  static Images& Instance() {
    static Images* const kImages = new Images;  // owned by GoogleTest once added
    return *kImages;
  }
  GuestImageStore& store() {
    if (!cache_) {
      std::string pattern = test::DiskFolder() / "hvbench-images-XXXXXX";
      if (mkdtemp(pattern.data()) == nullptr) throw SystemError("make a temporary folder", errno);
      dir_ = pattern;
      cache_ = std::make_unique<ImageCache>(dir_, FindGuestKernel({}));
    }
    return *cache_;
  }
  void TearDown() override {
    if (cache_) fs::remove_all(dir_);
  }

 private:
  fs::path dir_;
  std::unique_ptr<ImageCache> cache_;
};

// RuntimeOptions::options of the runtime that is tested, such as "jailer pci".
std::vector<std::string> OptionsToTest() {
  const char* const variable = std::getenv("HVBENCH_CONTRACT_OPTIONS");
  std::istringstream words(variable != nullptr ? variable : "");
  return {std::istream_iterator<std::string>(words), {}};
}

std::map<std::string, ProbeResult>& Probes() {
  static std::map<std::string, ProbeResult> probes;
  return probes;
}

bool UsesDocker(const std::string& runtime) { return runtime.starts_with("docker"); }
bool UsesContainerd(const std::string& runtime) {
  return runtime.starts_with("containerd") || runtime.starts_with("kata");
}

bool ContainerdKnows(const std::string& container) {
  return ContainerdClient(/*interruptible=*/false)
      .HasContainer(container, Deadline::In(kStopTimeout));
}

bool DockerKnows(const std::string& container) {
  try {
    DockerEngine(/*interruptible=*/false).InspectContainer(container, Deadline::In(kStopTimeout));
    return true;
  } catch (const Error&) {
    return false;  // "no such container"
  }
}

std::string ReadWholeFile(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace

std::vector<std::string> RegisteredKinds() {
  std::vector<std::string> kinds;
  for (const RegisteredLauncher& launcher : RegisteredLaunchers()) kinds.push_back(launcher.kind);
  return kinds;
}

std::string TestNameOf(std::string kind) {
  std::replace(kind.begin(), kind.end(), '-', '_');
  return kind;
}

int RunContractTests(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  BecomeSubreaper();
  signal(SIGPIPE, SIG_IGN);
  ::testing::AddGlobalTestEnvironment(&Daemons::Instance());
  ::testing::AddGlobalTestEnvironment(&Images::Instance());
  const int status = RUN_ALL_TESTS();
  const auto& results = *::testing::UnitTest::GetInstance();
  const bool all_skipped = results.successful_test_count() == 0 && results.skipped_test_count() > 0;
  return status == 0 && all_skipped ? HVBENCH_SKIP_STATUS : status;
}

void LauncherContract::SetUp() {
  // dockerd brings a containerd.
  if (UsesDocker(GetParam()) || UsesContainerd(GetParam())) Daemons::Instance().StartDocker();

  std::string pattern = test::DiskFolder() / "hvbench-contract-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  work_dir_ = pattern;
  run_id_ = "contract" + std::to_string(getpid());
  run_cgroup_ = "/hvbench-" + run_id_;
  launcher_ = MakeLauncher({GetParam(), {}, OptionsToTest()});
  ASSERT_NE(launcher_, nullptr);
  auto [probe, is_new] = Probes().try_emplace(GetParam());
  if (is_new) {
    probe->second = launcher_->Probe(ProbeDepth::kTrial, NewRequest());
  }
  if (!probe->second.usable) {
    EXPECT_NE(probe->second.reason, "");
    GTEST_SKIP() << GetParam() << " is unusable here: " << probe->second.reason
                 << "\nfix: " << probe->second.fix;
  }
}

void LauncherContract::TearDown() {
  if (work_dir_.empty()) return;
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
  launcher_.reset();
  if (UsesContainerd(GetParam()) && !IsSkipped()) {
    const ContainerdClient containerd(/*interruptible=*/false);
    EXPECT_FALSE(containerd.HasNamespace(Deadline::In(kStopTimeout)));
  }
  if (Cgroup(run_cgroup_).Exists()) Cgroup(run_cgroup_).KillAndRemove(Deadline::In(kStopTimeout));
  fs::remove_all(work_dir_);
}

const ProbeResult& LauncherContract::probe() const { return Probes().at(GetParam()); }

std::unique_ptr<Launcher> LauncherContract::MakeLauncher(RuntimeOptions options) const {
  if (options.images == nullptr) options.images = &Images::Instance().store();
  for (const RegisteredLauncher& registered : RegisteredLaunchers()) {
    if (registered.kind == GetParam()) return registered.make(std::move(options));
  }
  return nullptr;
}

LaunchRequest LauncherContract::NewRequest() {
  const std::string name = GetParam() + "-" + std::to_string(++guests_);
  LaunchRequest request;
  request.guest_id = "hvbench-" + run_id_ + "-" + name;
  request.cgroup = run_cgroup_ + "/" + name;
  request.guest_dir = work_dir_ / name;
  fs::create_directory(request.guest_dir);
  request.agent = HVBENCH_TEST_AGENT;
  // Kata's VMs have no less memory, and boot for longer: three at once a minute in the lab.
  const bool is_kata = GetParam().starts_with("kata");
  request.shape = {1, is_kata ? 256 : kTestMemoryMib, {AllowedCpus().front()}};
  request.deadline = Deadline::In(is_kata ? 3 * kBootTimeout : kBootTimeout);
  return request;
}

BootedGuest LauncherContract::Boot() { return Boot(NewRequest()); }

BootedGuest LauncherContract::Boot(const LaunchRequest& request) {
  BootedGuest booted;
  booted.request = request;
  booted.guest = launcher_->Launch(request);
  const WaitOptions options{booted.guest->DeathFd(), true};
  try {
    booted.bridge =
        std::make_unique<ExecBridge>(booted.guest->TakeEndpoint(), request.deadline, options);
    booted.hello = booted.bridge->Hello(request.deadline).reply;
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; " + booted.guest->DeathReason() + "; " +
                booted.guest->ConsoleTail());
  }
  return booted;
}

void LauncherContract::BootAndBeKilled(const LaunchRequest& request) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      const BootedGuest booted = Boot(request);
      kill(getpid(), SIGKILL);
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
    }
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Cgroup(run_cgroup()).KillAndRemove(Soon());
}

void LauncherContract::StopOrderly(BootedGuest& booted) {
  try {
    booted.bridge->Shutdown(Deadline::In(kStopTimeout));
  } catch (const BridgeClosed&) {
    // Where a daemon relays the stream, the agent's end may be seen before its last reply.
  }
  booted.guest->Shutdown(StopMode::kOrderly, Deadline::In(kStopTimeout));
}

std::vector<std::string> LauncherContract::Leftovers() const {
  std::vector<std::string> found;
  for (const pid_t pid : Cgroup(run_cgroup_).Processes()) {
    found.push_back("in the cgroup: process " + std::to_string(pid));
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    if (pid <= 0 || pid == getpid() || Daemons::Instance().Owns(pid)) continue;
    const std::string command = ReadWholeFile(entry.path() / "cmdline");
    if (command.find(run_id_) != std::string::npos ||
        command.find(work_dir_) != std::string::npos) {
      found.push_back("process " + std::to_string(pid) + ": " + command);
    } else if (ParentOfProcess(pid) == getpid()) {
      found.push_back("child " + std::to_string(pid) + ", " + StatusField(pid, "State") + ": " +
                      StatusField(pid, "Name"));
    }
  }
  std::istringstream mounts(ReadWholeFile("/proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(work_dir_) != std::string::npos || line.find(run_id_) != std::string::npos) {
      found.push_back("mount " + line);
    }
  }
  std::istringstream sockets(ReadWholeFile("/proc/net/unix"));
  for (std::string line; std::getline(sockets, line);) {
    if (line.find(work_dir_) != std::string::npos) found.push_back("socket " + line);
  }
  for (int i = 1; i <= guests_; ++i) {
    const std::string name = GetParam() + "-" + std::to_string(i);
    if (Cgroup(run_cgroup_ + "/" + name).Exists()) found.push_back("cgroup " + name);
    if (fs::exists(work_dir_ / name / "state")) found.push_back("runtime state of " + name);
    const std::string id = "hvbench-" + run_id_ + "-" + name;
    if (UsesDocker(GetParam()) && DockerKnows(id)) found.push_back("container " + id);
    if (UsesContainerd(GetParam()) && ContainerdKnows(id)) found.push_back("container " + id);
  }
  return found;
}

std::vector<std::string> LauncherContract::LeftoversAfterGrace() const {
  const Deadline deadline = Deadline::In(std::chrono::seconds(2));
  std::vector<std::string> found = Leftovers();
  while (!found.empty() && !deadline.Passed()) {
    Pause(std::chrono::milliseconds(20), /*interruptible=*/false);
    ReapOrphans();
    found = Leftovers();
  }
  return found;
}

pid_t PidOfPidfd(int pidfd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(pidfd));
  std::string word;
  while (info >> word) {
    pid_t pid = 0;
    if (word == "Pid:" && info >> pid) return pid;
  }
  return -1;
}

Cgroup GroupOf(pid_t pid, const LaunchRequest& request) {
  for (const std::string& name : {std::filesystem::path(request.cgroup).parent_path().string(),
                                  std::string("/hvbench.slice")}) {
    try {
      const GuestMark mark = GuestMark::OfCgroup(name);
      return Cgroup::OfGuest(IdentityProof::OfMember(pid, mark, 0), mark, 0);
    } catch (const NotProved&) {
    }
  }
  throw Error("the guest is in no group of its own");
}

std::string StatusField(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":"))
      return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return "";
}

}  // namespace hvbench

#include "tests/integration/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "fixtures/run_dir.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/cgroup_mounts.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/disk_folder.h"
#include "tests/support/remove_folder.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;

std::string Contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Where systemd makes the groups of Docker's containers, they bear their ids and no run's name.
std::set<std::string> ScopesOfDocker() {
  std::set<std::string> scopes;
  std::error_code none;
  for (const CgroupMount& mount : CgroupMounts()) {
    for (const auto& entry : fs::directory_iterator(mount.mount_point / "hvbench.slice", none)) {
      if (entry.is_directory(none)) scopes.insert(entry.path().filename());
    }
  }
  return scopes;
}

fs::path MakeTemporaryDir() {
  std::string name = (DiskFolder() / "hvbench-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw SystemError("make a temporary folder", errno);
  return name;
}

}  // namespace

ProgramTest::ProgramTest() : dir_(MakeTemporaryDir()), work_dir_(dir_ / "work") {}

ProgramTest::~ProgramTest() { test::RemoveFolder(dir_); }

Process ProgramTest::StartBy(const std::vector<std::string>& starter,
                             const std::vector<std::string>& arguments, const std::string& name) {
  std::vector<std::string> argv = starter;
  argv.insert(argv.end(), {program_, "--hvbench_work_dir=" + work_dir_.string()});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto open_output = [&](const char* which) {
    return UniqueFd(
        open((dir_ / (name + which)).c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  };
  const UniqueFd out = open_output("out");
  const UniqueFd err = open_output("err");
  SpawnOptions options;
  options.stdout_fd = out.get();
  options.stderr_fd = err.get();
  options.as_caller = true;
  Process process = Process::Spawn(argv, options);
  WatchRunsOf(process.pid());
  return process;
}

void ProgramTest::WatchRunsOf(pid_t pid) {
  // A run's identifier begins with its process's number (fixtures/run_dir.cc).
  std::ostringstream run_id;
  run_id << std::hex << pid << 'x';
  run_cgroups_.push_back(RunDir::CgroupOf(run_id.str()));
}

ProgramResult ProgramTest::Finish(Process process) {
  const auto status = process.Wait(Deadline::In(std::chrono::seconds(150)));
  EXPECT_TRUE(status.has_value()) << "the program hangs";
  return {status ? status->exit_code : -1, Contents(dir_ / "out"), Contents(dir_ / "err")};
}

void ProgramTest::AwaitProgress(const std::string& text) {
  const Deadline deadline = Deadline::In(std::chrono::seconds(30));
  while (Contents(dir_ / "err").find(text) == std::string::npos) {
    ASSERT_FALSE(deadline.Passed()) << "never ran " << text << ": " << Contents(dir_ / "err");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

nlohmann::json ProgramTest::ReadJson(const std::string& name) const {
  return nlohmann::json::parse(Contents(dir_ / name));
}

std::vector<pid_t> ProgramTest::Agents() const {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string command_line = Contents(entry.path() / "cmdline");
    if (command_line.starts_with(work_dir_.string()) &&
        command_line.find("/agent") != std::string::npos) {
      pids.push_back(static_cast<pid_t>(std::stol(pid)));
    }
  }
  return pids;
}

std::vector<std::string> ProgramTest::Leftovers() const {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& run : fs::directory_iterator(work_dir_ / "runs", none)) {
    found.push_back("folder " + run.path().string());
  }
  // Beside the folder of the runs, what all of them share.
  for (const auto& entry : fs::directory_iterator(work_dir_, none)) {
    const std::string name = entry.path().filename();
    if (name != "runs" && name != "images") found.push_back("folder " + entry.path().string());
  }
  for (const std::string& prefix : run_cgroups_) {
    for (const std::string& group : FindTopLevelCgroups(prefix)) found.push_back("cgroup " + group);
  }
  for (const std::string& group : ScopesOfDocker()) found.push_back("cgroup " + group);
  for (const pid_t pid : Agents()) found.push_back("process " + std::to_string(pid));
  return found;
}

}  // namespace hvbench::test

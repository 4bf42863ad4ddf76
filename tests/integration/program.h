// Runs the real program in a work directory of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/process.h"

namespace hvbench::test {

struct ProgramResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// A fixture with a temporary folder, removed at the end, and the wish that nothing stays behind.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest();
  ~ProgramTest() override;

  // Starts `hvbench --hvbench_work_dir=<own>` with more arguments; output goes to files in dir_,
  // `name` before their names.
  Process Start(const std::vector<std::string>& arguments) { return StartBy({}, arguments); }
  // By another program, such as nohup, with arguments of its own.
  Process StartBy(const std::vector<std::string>& starter,
                  const std::vector<std::string>& arguments, const std::string& name = "");
  ProgramResult Finish(Process process);
  ProgramResult Run(const std::vector<std::string>& arguments) { return Finish(Start(arguments)); }

  // Waits until the program says on standard error that it runs `text`; fails the test after 30 s.
  void AwaitProgress(const std::string& text);
  nlohmann::json ReadJson(const std::string& name) const;

  // Descriptions of what this test's runs have left: folders, cgroups, processes.
  std::vector<std::string> Leftovers() const;
  // To be called for each program that this fixture did not start itself.
  void WatchRunsOf(pid_t pid);
  // Native guests' processes, whose agent is a copy below work_dir_.
  std::vector<pid_t> Agents() const;

  std::string program_ = HVBENCH_TEST_PROGRAM;
  std::filesystem::path dir_;
  std::filesystem::path work_dir_;

 private:
  std::vector<std::string> run_cgroups_;  // how the names of the runs' cgroups begin
};

}  // namespace hvbench::test

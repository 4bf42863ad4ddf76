#include "benchmarks/run_ends.h"

#include <iostream>
#include <string>
#include <system_error>

#include "benchmarks/exit_status.h"
#include "benchmarks/text/escape.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

static_assert(kExitInterrupted == kInterruptedStatus);

constexpr char kInterruptNotice[] =
    "\nhvbench: interrupted: the guests are being stopped; "
    "a second Ctrl-C kills what it can and ends within a second\n";

// What is kept between runs.
void RemoveCaches(const Options& options, std::vector<Runtime>& runtimes, CleanupReport& report) {
  for (Runtime& runtime : runtimes) {
    try {
      runtime.launcher->RemoveCaches();
    } catch (const Error& e) {
      report.problems.push_back("caches of " + runtime.name() + ": " + e.what());
    }
  }
  const std::filesystem::path images = ImagesDir(options);
  std::error_code error;
  if (std::filesystem::remove_all(images, error) > 0) {
    report.removed.push_back("folder " + images.string());
  }
  if (error) report.problems.push_back("folder " + images.string() + ": " + error.message());
}

}  // namespace

std::filesystem::path ImagesDir(const Options& options) { return options.work_dir / "images"; }

void BeginProgram() {
  CatchInterrupts(kInterruptNotice);
  BecomeSubreaper();
}

ProgramEnd::~ProgramEnd() { AwaitLastResort(); }

RunDir BeginRun(const Options& options) {
  for (const std::string& problem : RemoveStaleRuns(options.work_dir).problems) {
    std::cerr << "hvbench: warning: left by an earlier run: " << problem << '\n';
  }
  RunDir run_dir = RunDir::Create(options.work_dir);
  SetLastResort([path = run_dir.path()] { KillRun(path); });
  return run_dir;
}

int RunCleanup(const Options& options, std::vector<Runtime>& runtimes) {
  CleanupReport report = RemoveStaleRuns(options.work_dir);
  if (const UniqueFd alone = LockOutRuns(options.work_dir)) {
    RemoveCaches(options, runtimes, report);
  } else {
    std::cerr << "hvbench: left the images alone: a run uses them\n";
  }
  for (const std::string& removed : report.removed) {
    std::cout << "removed " << ForTerminal(removed) << '\n';
  }
  for (const std::string& problem : report.problems) std::cerr << "hvbench: " << problem << '\n';
  return report.problems.empty() ? kExitMeasured : kExitFailed;
}

}  // namespace hvbench

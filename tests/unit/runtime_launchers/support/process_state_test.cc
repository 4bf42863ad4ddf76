#include "runtime_launchers/support/process_state.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "runtime_launchers/support/process.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/hostile_caller.h"

namespace hvbench {
namespace {

// What a program sees of its own state; the limits' lines without the kernel's padding.
constexpr char kShowState[] =
    "umask; cat /proc/self/oom_score_adj /proc/self/personality; nice; ionice; chrt -p $$; id -G; "
    "grep -E '^(Sig(Blk|Ign)|THP_enabled|Mems_allowed_list)' /proc/self/status; env | sort; "
    "cat /proc/self/limits";

std::string StateOfChild() {
  return RunCommand({"/bin/bash", "-c", kShowState}, Soon(), /*interruptible=*/false).output;
}

std::string WithoutItsPid(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (const auto at = line.find("pid "); at != line.npos)
      line.erase(at, line.find('\'', at) - at);
    result += line + "\n";
  }
  return result;
}

TEST(ProcessState, IsTheSameForEveryChildWhateverTheCallersIs) {
  const std::string usual = WithoutItsPid(InChild(StateOfChild));
  EXPECT_NE(usual.find("0022"), std::string::npos) << usual;
  const std::string hostile = InChild([] {
    BecomeHostileCaller();
    return StateOfChild();
  });
  if (geteuid() != 0) GTEST_SKIP() << "an ordinary user may not raise a priority again";
  EXPECT_EQ(WithoutItsPid(hostile), usual);
  EXPECT_EQ(hostile.find("PASSWORD"), std::string::npos);
}

TEST(ProcessState, HasTheLimitsThatThisProgramMayGive) {
  const std::string without_capability = InChild([] {
    LowerHardLimits();
    DropResourceCapability();
    RunCommand({"/bin/true"}, Soon(), false);
    return GuestLimitsText();
  });
  EXPECT_NE(without_capability.find("nofile:1024:4096,memlock:0:0,"), std::string::npos)
      << without_capability;
  if (!HasResourceCapability()) GTEST_SKIP() << "raising limits needs CAP_SYS_RESOURCE";
  const std::string with_capability = InChild([] {
    LowerHardLimits();
    return GuestLimitsText();
  });
  EXPECT_NE(with_capability.find("nofile:1024:524288,memlock:8388608:8388608,"), std::string::npos)
      << with_capability;
}

TEST(ProcessState, OfThisProgramIsStatedToo) {
  const std::string state = InChild([] {
    BecomeHostileCaller();
    signal(SIGCHLD, SIG_IGN);
    StateOwnProcess();
    std::ostringstream text;
    text << umask(0) << " " << getpriority(PRIO_PROCESS, 0) << " " << sched_getscheduler(0);
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, nullptr, &blocked);
    text << " " << sigismember(&blocked, SIGTERM);
    // Ignored, the status of a child would be lost.
    text << " " << (RunCommand({"/bin/false"}, Soon(), false).status.exit_code);
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    text << " " << (files.rlim_cur == files.rlim_max && files.rlim_max >= 4096);
    // What the caller chose for this program itself stays.
    int oom_score_adj = 0;
    std::ifstream("/proc/self/oom_score_adj") >> oom_score_adj;
    text << " " << oom_score_adj << " " << (signal(SIGHUP, SIG_DFL) == SIG_IGN);
    return text.str();
  });
  EXPECT_EQ(state,
            std::to_string(kStatedUmask) + (geteuid() == 0 ? " 0 0" : " 10 0") + " 0 1 1 500 1");
}

// A change of the group takes away the signal that comes at the parent's end.
TEST(ProcessState, LetsChildrenEndWithThisProgram) {
  const std::string pid = InChild([] {
    BecomeHostileCaller();
    const auto* child = new Process(Process::Spawn({"/bin/sleep", "60"}, {}));
    return std::to_string(child->pid());  // and ends without its destructor
  });
  const auto runs = [&pid] {
    std::string state;
    std::ifstream status("/proc/" + pid + "/status");
    while (status >> state && state != "State:") {
    }
    return status >> state && state != "Z";  // a zombie waits for whoever adopted it
  };
  const Deadline deadline = Soon();
  while (runs() && !deadline.Passed()) usleep(10'000);
  EXPECT_FALSE(runs()) << pid;
}

TEST(ProcessState, TriesWhetherTheOomScoreMayBeSet) {
  const std::string may = InChild([] {
    BecomeHostileCaller();  // with 500
    DropResourceCapability();
    const bool claimed = MaySetOomScoreAdj();
    int before = 0;
    std::ifstream("/proc/self/oom_score_adj") >> before;
    const bool may_set =
        static_cast<bool>(std::ofstream("/proc/self/oom_score_adj") << 0 << std::flush);
    return std::to_string(before) + (claimed == may_set ? " as it is" : " differs");
  });
  EXPECT_EQ(may, "500 as it is");
}

TEST(ProcessState, DiffersWhereAValueIsThereAndAnother) {
  EXPECT_EQ(DifferencesOfState("a:1 b:2:3", "a:1 b:2:3 c:4"), std::vector<std::string>{});
  EXPECT_EQ(DifferencesOfState("a:1 b:2:4 d:5", "a:1 b:2:3 c:4"),
            std::vector<std::string>{"b:2:4 instead of b:2:3"});
}

}  // namespace
}  // namespace hvbench

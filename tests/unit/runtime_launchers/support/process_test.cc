#include "runtime_launchers/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

CommandResult Shell(const std::string& script) {
  return RunCommand({"/bin/sh", "-c", script}, Soon());
}

TEST(Process, ReportsHowItEnded) {
  EXPECT_EQ(Shell("exit 3").status.exit_code, 3);
  EXPECT_EQ(Shell("exit 3").status.Describe(), "exited with 3");
  EXPECT_TRUE(Shell("exit 0").status.success());
  const ExitStatus killed = Shell("kill -9 $$").status;
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_FALSE(killed.success());
  EXPECT_EQ(killed.Describe(), "was killed by signal 9 (Killed)");
}

TEST(Process, WaitsForAWriterOfTheProgram) {
  const TemporaryDir dir;
  const std::string program = dir.path() / "program";
  const std::string opened = dir.path() / "opened";
  std::filesystem::copy_file("/bin/true", program);
  const Process writer = Process::Spawn(
      {"/bin/sh", "-c", "exec 3>>" + program + "; touch " + opened + "; sleep 0.2"}, {});
  while (!std::filesystem::exists(opened)) Pause(milliseconds(1), false);
  EXPECT_TRUE(Process::Spawn({program}, {}).Wait(Soon()).value().success());
}

TEST(Process, WhatCannotBeExecutedIsAnErrorWithItsErrno) {
  try {
    Process::Spawn({"/nonexistent/program"}, {});
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("/nonexistent/program"), std::string::npos);
  }
  try {
    Process::Spawn({"/etc/passwd"}, {});
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), EACCES);
  }
  SpawnOptions options;
  options.working_dir = "/nonexistent";
  EXPECT_THROW(Process::Spawn({"/bin/true"}, options), SystemError);
  // No zombie is left of a child that could not be made ready.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Process, NoOtherDescriptorReachesTheChild) {
  const UniqueFd leak(open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  ASSERT_TRUE(leak);
  // 0, 1, 2 and the one that ls itself reads the directory with.
  EXPECT_EQ(Shell("ls /proc/self/fd | wc -l").output, "4\n");
}

TEST(Process, StandardStreamsMayBeInAnyOrder) {
  auto [read_end, write_end] = MakePipe();
  SpawnOptions options;
  options.stdout_fd = STDERR_FILENO;
  options.stderr_fd = write_end.get();
  options.stdin_fd = STDOUT_FILENO;
  Process process = Process::Spawn({"/bin/sh", "-c", "echo text >&2"}, options);
  ASSERT_TRUE(process.Wait(Soon()));
  char buffer[16] = {};
  EXPECT_EQ(read(read_end.get(), buffer, sizeof buffer), 5);
  EXPECT_STREQ(buffer, "text\n");
}

TEST(Process, EnvironmentDirectoryAndAffinityAreTheChilds) {
  SpawnOptions options;
  options.environment = {"ONLY=this"};
  options.working_dir = "/usr";
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int cpu = 0;
  while (!CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) ++cpu;
  options.cpus = {cpu};
  const CommandResult result = RunCommand(
      {"/bin/sh", "-c", "echo $ONLY; /bin/pwd; /bin/grep Cpus_allowed_list /proc/self/status"},
      options, Soon(), false);
  EXPECT_EQ(result.output, "this\n/usr\nCpus_allowed_list:\t" + std::to_string(cpu) + "\n");
}

TEST(Process, SignalsAreAtTheirDefaultsInTheChild) {
  const auto old_handler = signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, old_mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &old_mask);
  // No shell in between: some ignore signals themselves.
  const CommandResult result =
      RunCommand({"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, Soon());
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
  signal(SIGPIPE, old_handler);
  EXPECT_EQ(result.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Process, WaitEndsAtItsDeadlineAndRepeatsItself) {
  Process process = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_FALSE(process.Wait(Deadline()));
  EXPECT_FALSE(process.Wait(Deadline::In(milliseconds(20))));
  process.Kill(SIGKILL);
  const auto status = process.Wait(Soon());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->signal, SIGKILL);
  EXPECT_EQ(process.Wait(Deadline())->signal, SIGKILL);
  process.Kill(SIGKILL);
}

TEST(Process, DestroyingARunningOneKillsAndReapsIt) {
  pid_t pid = -1;
  {
    const Process process = Process::Spawn({"/bin/sleep", "30"}, {});
    pid = process.pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Process, MovedOnesKeepTheirChild) {
  Process first = Process::Spawn({"/bin/sleep", "30"}, {});
  const pid_t pid = first.pid();
  Process second = std::move(first);
  EXPECT_EQ(second.pid(), pid);
  second = Process::Spawn({"/bin/true"}, {});
  EXPECT_NE(second.pid(), pid);
}

TEST(Process, DiesWithItsParent) {
  auto [read_end, write_end] = MakePipe();
  const pid_t parent = fork();
  if (parent == 0) {
    SpawnOptions options;
    options.stdout_fd = write_end.get();
    const Process child = Process::Spawn({"/bin/sleep", "30"}, options);
    kill(getpid(), SIGKILL);
  }
  write_end.Reset();
  waitpid(parent, nullptr, 0);
  // The end of the stream comes with the death of the last process that holds it.
  char byte = 0;
  ASSERT_TRUE(WaitReadable(read_end.get(), Soon(), false));
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0);
}

TEST(RunCommand, KeepsTheEndOfALongOutput) {
  const CommandResult result = Shell("head -c 200000 /dev/zero | tr '\\0' a; echo end");
  EXPECT_EQ(result.output.size(), 64u * 1024);
  EXPECT_TRUE(result.output.ends_with("aaaend\n"));
}

TEST(RunCommand, IsEndedAtItsDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    RunCommand({"/bin/sh", "-c", "echo working; exec sleep 30"}, Deadline::In(milliseconds(200)));
    FAIL();
  } catch (const TimedOut& error) {
    EXPECT_NE(std::string(error.what()).find("working"), std::string::npos) << error.what();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST(RunCommand, DoesNotWaitForADaemonThatHoldsItsOutput) {
  const auto begin = std::chrono::steady_clock::now();
  const CommandResult result = Shell("sleep 3 & echo started");
  EXPECT_EQ(result.output, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(2));
}

TEST(Subreaper, AdoptsAndReapsOrphans) {
  BecomeSubreaper();
  const TemporaryDir dir;
  const std::filesystem::path pid_file = dir.path() / "pid";
  Shell("sh -c 'echo $$ > " + pid_file.string() + "; sleep 0.2; exit 5' >/dev/null & sleep 0.1");
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  Process adopted = Process::Adopt(IdentityProof::OfOwnChild(pid));
  // One that is held is not taken away.
  ASSERT_TRUE(WaitReadable(adopted.pidfd(), Soon(), false));
  ReapOrphans();
  const auto status = adopted.Wait(Soon());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code, 5);

  Shell("sleep 0.1 >/dev/null &");
  Pause(milliseconds(300), false);
  ReapOrphans();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie was left";
}

TEST(Process, ItsThreadsAreItsOwn) {
  const Process child = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_TRUE(IsThreadOf(child.pid(), child));
  EXPECT_FALSE(IsThreadOf(getpid(), child));
  EXPECT_FALSE(IsThreadOf(0, child));
  EXPECT_FALSE(IsThreadOf(child.pid(), Process()));
}

TEST(Process, AdoptingWhatIsGoneIsAnError) {
  Process ended = Process::Spawn({"/bin/true"}, {});
  const pid_t pid = ended.pid();
  ended.Wait(Soon());
  EXPECT_THROW(Process::Adopt(IdentityProof::OfOwnChild(pid)), ProcessGone);
}

TEST(Process, EntersANetworkNamespace) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  // Another process's namespace serves as well as a file that one is mounted on.
  Process owner = Process::Spawn({"/usr/bin/unshare", "--net", "sleep", "30"}, {});
  const std::string file = "/proc/" + std::to_string(owner.pid()) + "/ns/net";
  const auto own = std::filesystem::read_symlink("/proc/self/ns/net");
  const Deadline deadline = Soon();
  while (std::filesystem::read_symlink(file) == own && !deadline.Passed()) {
    Pause(milliseconds(5), false);
  }
  SpawnOptions options;
  options.network_namespace = file;
  const CommandResult result =
      RunCommand({"/bin/readlink", "/proc/self/ns/net"}, options, Soon(), false);
  EXPECT_EQ(result.output, std::filesystem::read_symlink(file).string() + "\n");
  EXPECT_NE(result.output, own.string() + "\n");
  EXPECT_EQ(std::filesystem::read_symlink("/proc/self/ns/net"), own);
}

TEST(Process, ANetworkNamespaceThatIsNoneIsAnError) {
  SpawnOptions options;
  options.network_namespace = "/nonexistent";
  EXPECT_THROW(Process::Spawn({"/bin/true"}, options), SystemError);
  options.network_namespace = "/etc/passwd";
  EXPECT_THROW(Process::Spawn({"/bin/true"}, options), SystemError);
}

TEST(Process, SeesACoveredFolderEmpty) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryDir dir;
  std::ofstream(dir.path() / "file") << "content";
  SpawnOptions options;
  options.covered_dir = dir.path();
  const CommandResult result = RunCommand({"/bin/ls", dir.path().string()}, options, Soon(), false);
  EXPECT_TRUE(result.status.success());
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(std::filesystem::exists(dir.path() / "file")) << "for everybody else it is there";
}

TEST(FindExecutable, LooksUpNamesAndChecksPaths) {
  EXPECT_TRUE(FindExecutable("sh"));
  EXPECT_TRUE(FindExecutable("/bin/sh"));
  EXPECT_FALSE(FindExecutable("/etc/passwd"));
  EXPECT_FALSE(FindExecutable("no-such-program"));
  EXPECT_FALSE(FindExecutable("/bin"));
  EXPECT_FALSE(FindExecutable(""));
}

}  // namespace
}  // namespace hvbench

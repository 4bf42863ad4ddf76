// Servers that are scripts, in the test's own root.
#include "benchmarks/kernels/support/server/server_process.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

using namespace std::chrono_literals;

class ServerProcessTest : public testing::Test {
 protected:
  ServerProcessTest() {
    std::string pattern = testing::TempDir() + "hvbench-server-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw KernelFailed("mkdtemp", errno);
    dir_ = pattern;
  }
  ~ServerProcessTest() override { std::filesystem::remove_all(dir_); }

  ServerCommand Script(const std::string& text) const {
    ServerCommand command;
    command.argv = {"/bin/sh", "-c", text};
    command.log = dir_ + "/log";
    return command;
  }
  // Serves once it has made a file.
  std::function<bool()> Made(const std::string& name) const {
    return [path = dir_ + "/" + name] { return std::filesystem::exists(path); };
  }
  std::string Touch(const std::string& name) const { return "touch " + dir_ + "/" + name + "; "; }
  pid_t PidIn(const std::string& name) const {
    pid_t pid = 0;
    std::ifstream(dir_ + "/" + name) >> pid;
    return pid;
  }

  static bool Exists(pid_t pid) { return kill(pid, 0) == 0; }

  std::string dir_;
};

template <typename Action>
std::string MessageOf(Action action) {
  try {
    action();
  } catch (const KernelFailed& failed) {
    return failed.what();
  }
  return "nothing was thrown";
}

TEST_F(ServerProcessTest, IsAwaitedAndStoppedInOrder) {
  {
    ServerProcess server("/", Script("trap '" + Touch("stopped") + "exit' TERM; " +
                                     Touch("serving") + "while :; do sleep 0.01; done"));
    server.AwaitServing(Made("serving"), 10s);
    EXPECT_NO_THROW(server.RequireAlive());
  }
  EXPECT_TRUE(Made("stopped")()) << "it was killed";
}

TEST_F(ServerProcessTest, ThatEndsEarlyIsAnErrorWithItsLastWords) {
  ServerProcess server("/", Script("echo 'cannot bind: the port is in use' >&2; exit 3"));
  const std::string message = MessageOf([&] { server.AwaitServing([] { return false; }, 10s); });
  EXPECT_NE(message.find("sh exited with 3"), std::string::npos) << message;
  EXPECT_NE(message.find("cannot bind: the port is in use"), std::string::npos) << message;
}

TEST_F(ServerProcessTest, ThatNeverServesIsAnErrorAfterAWhile) {
  ServerProcess server("/", Script("echo thinking; exec sleep 60"));
  const std::string message = MessageOf([&] { server.AwaitServing([] { return false; }, 300ms); });
  EXPECT_NE(message.find("does not serve within 300 ms"), std::string::npos) << message;
  EXPECT_NE(message.find("thinking"), std::string::npos) << message;
}

TEST_F(ServerProcessTest, ThatWasKilledSaysSo) {
  ServerProcess server("/", Script(Touch("serving") + "exec sleep 60"));
  server.AwaitServing(Made("serving"), 10s);
  kill(server.pid(), SIGKILL);
  std::string message;
  for (int i = 0; i < 1000 && message.find("signal 9") == std::string::npos; ++i) {
    usleep(10'000);
    message = MessageOf([&] { server.RequireAlive(); });
  }
  EXPECT_NE(message.find("sh was killed by signal 9"), std::string::npos) << message;
}

TEST_F(ServerProcessTest, ThatDoesNotStopIsKilledWithAllThatItStarted) {
  const auto begin = std::chrono::steady_clock::now();
  {
    ServerCommand command = Script("trap '' TERM; sleep 60 & echo $! >" + dir_ + "/child; " +
                                   Touch("serving") + "while :; do sleep 1; done");
    command.stop_timeout = 200ms;
    ServerProcess server("/", command);
    server.AwaitServing(Made("serving"), 10s);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  const pid_t child = PidIn("child");
  ASSERT_GT(child, 1);
  for (int i = 0; i < 1000 && Exists(child); ++i) usleep(10'000);  // another reaps it
  EXPECT_FALSE(Exists(child));
}

TEST_F(ServerProcessTest, KnowsTheCpuTimeOfAllItsProcesses) {
  ServerProcess server("/", Script("(while :; do :; done) & wait"));
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (server.CpuNs() < 50'000'000 && std::chrono::steady_clock::now() < deadline) usleep(1000);
  EXPECT_GE(server.CpuNs(), 50'000'000u);
}

TEST_F(ServerProcessTest, ThatIsNotInstalledIsUnsupported) {
  ServerCommand command = Script("");
  command.argv = {"/usr/sbin/hvbench-no-such-server"};
  EXPECT_THROW(ServerProcess("/", command), Unsupported);
  EXPECT_THROW(ServerProcess(dir_, Script("exit 0")), Unsupported) << "not in that root";
}

TEST_F(ServerProcessTest, AProgramThatFailsToEndWellIsAnErrorWithItsLastWords) {
  EXPECT_NO_THROW(RunInApplicationRoot("/", Script("exit 0"), 10s));
  const std::string message =
      MessageOf([&] { RunInApplicationRoot("/", Script("echo no entropy; exit 1"), 10s); });
  EXPECT_NE(message.find("sh exited with 1"), std::string::npos) << message;
  EXPECT_NE(message.find("no entropy"), std::string::npos) << message;
  EXPECT_THROW(RunInApplicationRoot("/", Script("exec sleep 60"), 200ms), KernelFailed);
}

}  // namespace
}  // namespace hvbench::agent::kernels

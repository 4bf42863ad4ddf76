#include "runtime_launchers/vm/qmp.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Deadline Later() { return Deadline::In(seconds(20)); }

// QEMU without a machine: its monitor, and nothing to run.
class QmpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto qemu = FindExecutable("qemu-system-x86_64");
    if (!qemu) GTEST_SKIP() << "needs qemu-system-x86_64";
    vmm_ = Process::Spawn({qemu->string(), "-M", "none", "-nodefaults", "-display", "none", "-S",
                           "-qmp", "unix:" + socket().string() + ",server=on,wait=off"},
                          {});
  }
  std::filesystem::path socket() const { return dir_.path() / "qmp"; }

  TemporaryDir dir_;
  Process vmm_;
};

TEST_F(QmpTest, SteersAMachine) {
  QmpClient monitor = QmpClient::Connect(socket(), vmm_.pidfd(), Later());
  EXPECT_TRUE(monitor.connected());
  EXPECT_EQ(monitor.Status(Later()), "prelaunch");
  monitor.Continue(Later());
  EXPECT_EQ(monitor.Status(Later()), "running");
  monitor.Stop(Later());
  monitor.Stop(Later());
  EXPECT_EQ(monitor.Status(Later()), "paused");
  EXPECT_TRUE(monitor.VcpuThreads(Later()).empty());
  EXPECT_EQ(monitor.ShutdownReason(), "");
  monitor.Quit(Later());
  ASSERT_TRUE(vmm_.Wait(Later()));
  EXPECT_EQ(monitor.ShutdownReason(), "host-qmp-quit");
  EXPECT_THROW(monitor.Stop(Later()), Error);
}

TEST_F(QmpTest, AVmmThatDiesIsSeenBeforeTheDeadline) {
  QmpClient monitor = QmpClient::Connect(socket(), vmm_.pidfd(), Later());
  vmm_.Kill(SIGKILL);
  vmm_.Wait(Later());
  EXPECT_THROW(monitor.Status(Deadline::In(seconds(60))), Error);
  EXPECT_THROW(QmpClient::Connect(socket(), vmm_.pidfd(), Deadline::In(seconds(60))), Error);
}

TEST(QmpClient, WithoutAVmmTheDeadlineEndsTheWait) {
  const TemporaryDir dir;
  EXPECT_THROW(QmpClient::Connect(dir.path() / "qmp", -1, Deadline::In(milliseconds(50))),
               TimedOut);
  QmpClient none;
  EXPECT_FALSE(none.connected());
  EXPECT_EQ(none.ShutdownReason(), "");
  EXPECT_THROW(none.Stop(Later()), Error);
}

// Says one text to its first client, and no more.
class Speaker {
 public:
  explicit Speaker(const std::string& text) {
    listener_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path().string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    listen(listener_.get(), 1);
    thread_ = std::thread([this, text] {
      client_.Reset(accept(listener_.get(), nullptr, nullptr));
      send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    });
  }
  ~Speaker() { thread_.join(); }
  std::filesystem::path path() const { return dir_.path() / "socket"; }

 private:
  TemporaryDir dir_;
  UniqueFd listener_;
  UniqueFd client_;
  std::thread thread_;
};

TEST(QmpClient, WhatIsNoMonitorIsAnError) {
  for (const char* text : {"HTTP/1.1 200 OK\r\n", "[1]\n", "{}\n", "{\"QMP\": \n"}) {
    const Speaker speaker(text);
    EXPECT_THROW(QmpClient::Connect(speaker.path(), -1, Later()), Error) << text;
  }
  const Speaker silent("{\"QMP\": {}");
  EXPECT_THROW(QmpClient::Connect(silent.path(), -1, Deadline::In(milliseconds(100))), TimedOut);
}

}  // namespace
}  // namespace hvbench

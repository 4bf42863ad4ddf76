// The kernel that serves: with the real nginx, in the root file system that guests get.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/server/web_content.h"
#include "fixtures/agent/kernel.h"
#include "fixtures/images/application_root.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/process.h"
#include "tests/unit/fixtures/support/temporary_dir.h"

namespace hvbench::agent {
namespace {

namespace fs = std::filesystem;

constexpr char kHome[] = "srv/hvbench-nginx";  // of the server, in the root

// In a network namespace of its own, where all ports are free.
class NginxServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "it needs root";
    if (!FindExecutable("ip")) GTEST_SKIP() << "needs the package iproute2";
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    ASSERT_TRUE(RunCommand({FindExecutable("ip")->string(), "link", "set", "lo", "up"},
                           Deadline::In(std::chrono::seconds(10)))
                    .status.success());
    UseRoot(dir_.path() / "guest");
  }

  void TearDown() override {
    umount2((dir_.path() / "guest/application/root").c_str(), MNT_DETACH);
    umount2((dir_.path() / "small/guest/application/root").c_str(), MNT_DETACH);
    umount2((dir_.path() / "small").c_str(), MNT_DETACH);
  }

  void UseRoot(const fs::path& guest_dir) {
    LaunchRequest request;
    request.guest_dir = guest_dir;
    fs::create_directories(guest_dir);
    try {
      ApplicationRoot(FindApplicationRoot(), dir_.path() / "images")
          .Attach(ApplicationForm::kDirectory, request);
    } catch (const CannotRunHere& error) {
      GTEST_SKIP() << error.what();
    }
    root_ = request.application->root;
  }

  std::unique_ptr<Kernel> Prepared(const char* file_kib = "1", const char* tls = "0") const {
    const auto& kernels = AllKernels();
    const auto spec = std::find_if(kernels.begin(), kernels.end(), [](const KernelSpec& one) {
      return one.name == "nginx/server";
    });
    auto kernel = spec->make();
    Surroundings surroundings;
    surroundings.application_root = root_;
    kernel->Prepare(
        Context({{"file_kib", file_kib}, {"tls", tls}, {"access_log", "1"}, {"workers", "1"}},
                "/tmp", 1, surroundings));
    return kernel;
  }

  std::string MessageOfPrepare(const char* file_kib = "1") const {
    try {
      Prepared(file_kib);
    } catch (const KernelFailed& failed) {
      return failed.what();
    }
    return "nothing was thrown";
  }

  // The server's first process.
  pid_t Master() const {
    pid_t pid = 0;
    std::ifstream(root_ / kHome / "pid") >> pid;
    return pid;
  }

  void ExpectToServe() const {
    const auto kernel = Prepared();
    kernel->Run(3);
    EXPECT_NO_THROW(kernel->Verify());
  }

  hvbench::testing::TemporaryDir dir_;
  fs::path root_;
};

void ExpectIn(const std::string& part, const std::string& text) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(NginxServerTest, ServesAndTellsItsCpuTimeAndEnds) {
  pid_t master = 0;
  for (const char* tls : {"0", "1"}) {
    const auto kernel = Prepared("100", tls);
    master = Master();
    ASSERT_GT(master, 1);
    kernel->Run(10);
    kernel->Verify();
    ASSERT_EQ(kernel->Counters().at(0).name, "server_cpu_ns");
    EXPECT_GT(kernel->Counters().at(0).value, 0);
  }
  EXPECT_FALSE(ParentOfProcess(master)) << "nginx is still there";
}

TEST_F(NginxServerTest, APortInUseIsAnErrorOfThatCellAlone) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kernels::kWebPort);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  const std::string message = MessageOfPrepare();
  close(fd);
  ExpectIn("nginx exited with 1", message);
  ExpectIn("bind() to 0.0.0.0:80 failed (98: Address already in use)", message);
  ExpectToServe();
}

TEST_F(NginxServerTest, AServerThatDoesNotStartIsAnErrorWithItsLog) {
  fs::rename(root_ / "etc/passwd", root_ / "etc/passwd.away");
  const std::string message = MessageOfPrepare();
  fs::rename(root_ / "etc/passwd.away", root_ / "etc/passwd");
  ExpectIn("nginx exited with 1", message);
  ExpectIn("getpwnam(\"www-data\") failed", message);
  ExpectToServe();
}

TEST_F(NginxServerTest, AKilledServerIsAnErrorOfThatCellAlone) {
  {
    const auto kernel = Prepared();
    kill(Master(), SIGKILL);
    std::string message;
    for (int i = 0; i < 1000 && message.empty(); ++i) {
      usleep(10'000);
      try {
        kernel->Run(1);
      } catch (const KernelFailed& failed) {
        message = failed.what();
      }
    }
    ExpectIn("nginx was killed by signal 9", message);
  }
  ExpectToServe();  // on the same port: its worker is gone, too
}

TEST_F(NginxServerTest, AFullDiskIsAnErrorOfThatCellAlone) {
  const fs::path small = dir_.path() / "small";
  fs::create_directory(small);
  ASSERT_EQ(mount("none", small.c_str(), "tmpfs", 0, "size=600k"), 0);
  UseRoot(small / "guest");
  ExpectIn("No space left on device", MessageOfPrepare("1024"));
  ExpectToServe();
}

}  // namespace
}  // namespace hvbench::agent

// What only containerd leaves: shims, of which it may know nothing any more.
#include <signal.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/containerd/client.h"
#include "runtime_launchers/containerd/grpc_unix.h"
#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/unique_fd.h"
#include "tests/contract/contract_environment.h"
#include "tests/support/environment_variable.h"

namespace hvbench {
namespace {

class ContainerdContract : public LauncherContract {};

std::vector<std::string> KindsOnContainerd() {
  std::vector<std::string> kinds = RegisteredKinds();
  std::erase_if(kinds, [](const auto& kind) { return !kind.starts_with("containerd"); });
  return kinds;
}

// Its task and its shim stay.
void ForgetContainer(const std::string& id) {
  const GrpcUnixClient containerd(ContainerdClient(/*interruptible=*/false).socket(),
                                  {{"containerd-namespace", "hvbench"}}, /*interruptible=*/false);
  // Protocol Buffers: field 1, a text, which is shorter than 128 bytes.
  const std::string request = '\x0a' + std::string(1, static_cast<char>(id.size())) + id;
  const GrpcReply reply =
      containerd.Call("/containerd.services.containers.v1.Containers/Delete", request, Soon());
  ASSERT_EQ(reply.status, kGrpcOk) << reply.message;
}

// As after a program that was killed while containerd was starting its task.
TEST_P(ContainerdContract, RemoveStaleEndsAShimThatHasNoContainer) {
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  std::optional<Process> shim = FindShim(request.guest_id, BootTicks{0}, Process());
  ASSERT_TRUE(shim);
  ASSERT_NO_FATAL_FAILURE(ForgetContainer(request.guest_id));
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  EXPECT_TRUE(shim->Wait(Deadline::In(std::chrono::seconds(0))));
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

// With that, who has not heard that containerd is gone finds none.
constexpr char kNoSocket[] = "/nonexistent/containerd.sock";

TEST_P(ContainerdContract, AShimEndsWithItsGuestAlsoWithoutContainerd) {
  BootedGuest booted = Boot();
  std::optional<Process> shim = FindShim(booted.request.guest_id, BootTicks{0}, Process());
  ASSERT_TRUE(shim);
  {
    const EnvironmentVariable address("CONTAINERD_ADDRESS", kNoSocket);
    EXPECT_THROW(booted.guest->Shutdown(StopMode::kForced, Soon()), SystemError);
    EXPECT_TRUE(shim->Wait(Soon()));
  }
  launcher().RemoveStale(booted.request.guest_id, booted.request.guest_dir);
}

TEST_P(ContainerdContract, RemoveStaleEndsAShimAlsoWithoutContainerd) {
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  std::optional<Process> shim = FindShim(request.guest_id, BootTicks{0}, Process());
  ASSERT_TRUE(shim);
  {
    const EnvironmentVariable address("CONTAINERD_ADDRESS", kNoSocket);
    launcher().RemoveStale(request.guest_id, request.guest_dir);
    EXPECT_TRUE(shim->Wait(Soon()));
  }
  launcher().RemoveStale(request.guest_id, request.guest_dir);
}

TEST_P(ContainerdContract, RemoveStaleEndsAShimThatStandsStill) {
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  std::optional<Process> shim = FindShim(request.guest_id, BootTicks{0}, Process());
  ASSERT_TRUE(shim);
  shim->Kill(SIGSTOP);
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  EXPECT_TRUE(shim->Wait(Soon()));
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

// Docker's too.
class DaemonContract : public LauncherContract {
 protected:
  // The address of the runtime's daemon, as long as the object lives: a socket on which nobody
  // listens any more.
  EnvironmentVariable KilledDaemon() const {
    const std::filesystem::path socket_file = work_dir() / "left.sock";
    const SocketPath path(socket_file);
    const sockaddr_un address = path.address();
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (GetParam().starts_with("docker")) return {"DOCKER_HOST", "unix://" + socket_file.string()};
    return {"CONTAINERD_ADDRESS", socket_file};
  }
};

std::vector<std::string> KindsWithDaemon() {
  std::vector<std::string> kinds = RegisteredKinds();
  std::erase_if(kinds, [](const auto& kind) {
    return !kind.starts_with("docker") && !kind.starts_with("containerd");
  });
  return kinds;
}

TEST_P(DaemonContract, WhatAKilledDaemonKeepsIsRemovedOnceItIsBack) {
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  {
    const EnvironmentVariable address = KilledDaemon();
    EXPECT_THROW(launcher().RemoveStale(request.guest_id, request.guest_dir), SystemError)
        << "its record would be forgotten";
  }
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Runtime, DaemonContract, ::testing::ValuesIn(KindsWithDaemon()),
                         [](const auto& test) { return TestNameOf(test.param); });
INSTANTIATE_TEST_SUITE_P(Runtime, ContainerdContract, ::testing::ValuesIn(KindsOnContainerd()),
                         [](const auto& test) { return TestNameOf(test.param); });

}  // namespace
}  // namespace hvbench

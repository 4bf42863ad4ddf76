// What only containerd leaves: shims, of which it may know nothing any more.
#include <optional>
#include <string>

#include "runtime_launchers/containerd_client.h"
#include "runtime_launchers/containerd_shim.h"
#include "runtime_launchers/support/grpc_unix.h"
#include "tests/contract/contract_environment.h"

namespace hvbench {
namespace {

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
TEST_P(LauncherContract, RemoveStaleEndsAShimThatHasNoContainer) {
  if (!GetParam().starts_with("containerd")) GTEST_SKIP() << "not containerd's";
  const LaunchRequest request = NewRequest();
  ASSERT_NO_FATAL_FAILURE(BootAndBeKilled(request));
  std::optional<Process> shim = FindShim(request.guest_id, BootTicks{0}, Process());
  ASSERT_TRUE(shim);
  ASSERT_NO_FATAL_FAILURE(ForgetContainer(request.guest_id));
  launcher().RemoveStale(request.guest_id, request.guest_dir);
  EXPECT_TRUE(shim->Wait(Deadline::In(std::chrono::seconds(0))));
  EXPECT_EQ(LeftoversAfterGrace(), std::vector<std::string>{});
}

}  // namespace
}  // namespace hvbench

// A launcher that says which network device it takes connects its guest by it.
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "fixtures/netlab/netlab.h"
#include "tests/contract/contract_environment.h"

namespace hvbench {
namespace {

// The suite has a mount namespace, which takes these with it; the test does not.
struct MountedFiles {
  std::vector<std::filesystem::path> files;
  ~MountedFiles() {
    // Without an effect where a runtime has no namespace of its own.
    for (const auto& file : files) umount2(file.c_str(), MNT_DETACH);
  }
};

TEST_P(LauncherContract, ReachesThePeerOfItsNetwork) {
  const NetworkDevice device = launcher().network_device();
  if (device == NetworkDevice::kNone) GTEST_SKIP() << GetParam() << " takes no network device";
  if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
  if (!FindExecutable("ip")) GTEST_SKIP() << "needs the package iproute2";
  LaunchRequest request = NewRequest();
  const std::filesystem::path dir = request.guest_dir.parent_path() / "netlab";
  const MountedFiles namespaces{{dir / "switch", dir / "peer", request.guest_dir / "network"}};
  NetLab netlab(dir, HVBENCH_TEST_AGENT, {});
  netlab.Start();
  request.network = netlab.Attach(device, request.guest_dir);
  ASSERT_TRUE(request.network);
  BootedGuest booted = Boot(request);
  protocol::PrepareRequest prepare;
  prepare.kernel = "network/tcp_rr";
  prepare.params = {{"request_bytes", "100"}, {"response_bytes", "200"}};
  prepare.iterations = 20;
  booted.bridge->Prepare(prepare, Soon());
  booted.bridge->Run(prepare.iterations, Soon());
  booted.bridge->Verify(Soon());
  StopOrderly(booted);
  netlab.Detach(*request.network);
}

}  // namespace
}  // namespace hvbench

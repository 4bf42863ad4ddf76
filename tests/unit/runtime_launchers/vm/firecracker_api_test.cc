// Firecracker's API against VMMs that refuse, break off, end, or say nothing.
#include "runtime_launchers/vm/firecracker_api.h"

#include <gtest/gtest.h>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;

const std::string kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

FirecrackerApi ApiOf(const FakeHttpServer& vmm) {
  return FirecrackerApi(vmm.path(), /*interruptible=*/false);
}

template <typename Call>
std::string FaultBy(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

FirecrackerMachine MachineWithAll() {
  FirecrackerMachine machine;
  machine.vcpus = 2;
  machine.memory_mib = 512;
  machine.guest_kernel = "vmlinux";
  machine.initramfs = "initramfs";
  machine.kernel_parameters = "quiet -- --init \"x\"";
  machine.vsock_socket = "v.sock";
  machine.disks = {"disk0", "disk1"};
  machine.io_engine = "Async";
  machine.tap = "tap7";
  machine.mac = "02:00:00:00:00:07";
  return machine;
}

Process EndedProgram(const char* program) {
  Process ended = Process::Spawn({program}, {});
  EXPECT_TRUE(ended.Wait(Soon()));
  return ended;
}

TEST(FirecrackerApi, AMachineIsConfiguredBeforeItStarts) {
  const FakeHttpServer vmm(std::vector<std::string>(7, kNoContent));
  ApiOf(vmm).Start(MachineWithAll(), Soon());
  const std::pair<const char*, const char*> expected[] = {
      {"PUT /machine-config", R"({"vcpu_count": 2, "mem_size_mib": 512})"},
      {"PUT /boot-source", R"({"kernel_image_path": "vmlinux", "initrd_path": "initramfs",
                               "boot_args": "quiet -- --init \"x\""})"},
      {"PUT /vsock", R"({"guest_cid": 3, "uds_path": "v.sock"})"},
      {"PUT /drives/disk0",
       R"({"drive_id": "disk0", "path_on_host": "disk0", "is_root_device": false,
           "is_read_only": false, "cache_type": "Writeback", "io_engine": "Async"})"},
      {"PUT /drives/disk1",
       R"({"drive_id": "disk1", "path_on_host": "disk1", "is_root_device": false,
           "is_read_only": false, "cache_type": "Writeback", "io_engine": "Async"})"},
      {"PUT /network-interfaces/network",
       R"({"iface_id": "network", "guest_mac": "02:00:00:00:00:07", "host_dev_name": "tap7"})"},
      {"PUT /actions", R"({"action_type": "InstanceStart"})"}};
  const auto requests = vmm.requests();
  ASSERT_EQ(requests.size(), std::size(expected));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].line(), expected[i].first);
    EXPECT_EQ(Json::parse(requests[i].body), Json::parse(expected[i].second));
    EXPECT_NE(requests[i].head.find("Content-Type: application/json\r\n"), std::string::npos);
  }
}

TEST(FirecrackerApi, AMachineWithoutDisksAndNetworkHasNeither) {
  FirecrackerMachine machine = MachineWithAll();
  machine.disks.clear();
  machine.tap.clear();
  const FakeHttpServer vmm(std::vector<std::string>(4, kNoContent));
  ApiOf(vmm).Start(machine, Soon());
  EXPECT_EQ(vmm.lines(), (std::vector<std::string>{"PUT /machine-config", "PUT /boot-source",
                                                   "PUT /vsock", "PUT /actions"}));
}

TEST(FirecrackerApi, WhatTheVmmRefusesStopsTheStartWithItsReason) {
  const FakeHttpServer vmm({kNoContent,
                            HttpAnswer(400, R"({"fault_message": "The \"kernel\" is no ELF"})"),
                            kNoContent});
  const std::string fault = FaultBy([&] { ApiOf(vmm).Start(MachineWithAll(), Soon()); });
  EXPECT_NE(fault.find("/boot-source"), std::string::npos) << fault;
  EXPECT_NE(fault.find("status 400"), std::string::npos) << fault;
  EXPECT_NE(fault.find("The \"kernel\" is no ELF"), std::string::npos) << fault;
  EXPECT_EQ(vmm.lines().size(), 2);
}

TEST(FirecrackerApi, AFaultOfAnotherFormIsQuoted) {
  const FakeHttpServer vmm({HttpAnswer(500, "no JSON"), HttpAnswer(500, R"({"error": "other"})"),
                            HttpAnswer(500, R"({"fault_message": {"code": 7}})"),
                            HttpAnswer(500, "")});
  const FirecrackerApi api = ApiOf(vmm);
  for (const char* text : {"no JSON", "other", "{\"code\":7}", "status 500"}) {
    const std::string fault = FaultBy([&] { api.Pause(Soon()); });
    EXPECT_NE(fault.find(text), std::string::npos) << fault;
  }
}

TEST(FirecrackerApi, ASnapshotIsMadeOfAPausedMachineAndLoadedToRun) {
  const FakeHttpServer vmm(std::vector<std::string>(4, kNoContent));
  const FirecrackerApi api = ApiOf(vmm);
  api.Pause(Soon());
  api.CreateSnapshot("machine", "memory", Soon());
  api.LoadSnapshot("machine", "memory", Soon());
  api.Resume(Soon());
  const std::pair<const char*, const char*> expected[] = {
      {"PATCH /vm", R"({"state": "Paused"})"},
      {"PUT /snapshot/create", R"({"snapshot_type": "Full", "snapshot_path": "machine",
                                   "mem_file_path": "memory"})"},
      {"PUT /snapshot/load", R"({"snapshot_path": "machine", "resume_vm": true,
          "mem_backend": {"backend_type": "File", "backend_path": "memory"}})"},
      {"PATCH /vm", R"({"state": "Resumed"})"}};
  const auto requests = vmm.requests();
  ASSERT_EQ(requests.size(), std::size(expected));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].line(), expected[i].first);
    EXPECT_EQ(Json::parse(requests[i].body), Json::parse(expected[i].second));
  }
}

TEST(FirecrackerApi, SilenceEndsAtTheDeadline) {
  const FakeHttpServer vmm({""});
  EXPECT_THROW(ApiOf(vmm).LoadSnapshot("machine", "memory", Deadline::In(milliseconds(50))),
               TimedOut);
}

TEST(FirecrackerApi, AnAnswerThatIsCutOffIsNoSuccess) {
  const FakeHttpServer vmm({"HTTP/1.1 204 No Con"});
  EXPECT_THROW(ApiOf(vmm).Resume(Soon()), Error);
}

TEST(FirecrackerApi, TheFirstAnswerIsWaitedForWhileTheVmmLives) {
  const FakeHttpServer vmm({HttpAnswer(200, R"({"state": "Not started"})")});
  Process running = Process::Spawn({"/bin/sleep", "60"}, {});
  EXPECT_NO_THROW(ApiOf(vmm).AwaitAnswer(running, Soon()));
  const FirecrackerApi nobody("/nonexistent/api.sock", /*interruptible=*/false);
  const std::string late =
      FaultBy([&] { nobody.AwaitAnswer(running, Deadline::In(milliseconds(50))); });
  EXPECT_NE(late.find("/nonexistent/api.sock"), std::string::npos) << late;
  const FakeHttpServer silent({""});
  EXPECT_THROW(ApiOf(silent).AwaitAnswer(running, Deadline::In(milliseconds(50))), TimedOut);
  Process ended = EndedProgram("/bin/false");
  EXPECT_EQ(FaultBy([&] { nobody.AwaitAnswer(ended, Soon()); }), "Firecracker exited with 1");
}

// How it ended says more than that its answer was cut off.
TEST(FirecrackerApi, AVmmThatEndsWhileItAnswersIsToldToHaveEnded) {
  for (const char* answer : {"HTTP/1.1 200 O", "\n"}) {
    const FakeHttpServer vmm({answer});
    Process ended = EndedProgram("/bin/false");
    EXPECT_EQ(FaultBy([&] { ApiOf(vmm).AwaitAnswer(ended, Soon()); }), "Firecracker exited with 1");
  }
  const FakeHttpServer vmm({"HTTP/1.1 200 O", HttpAnswer(400, R"({"fault_message": "odd"})")});
  Process running = Process::Spawn({"/bin/sleep", "60"}, {});
  EXPECT_NE(FaultBy([&] { ApiOf(vmm).AwaitAnswer(running, Soon()); }).find("no proper HTTP"),
            std::string::npos);
  EXPECT_NE(FaultBy([&] { ApiOf(vmm).AwaitAnswer(running, Soon()); }).find("odd"),
            std::string::npos);
}

}  // namespace
}  // namespace hvbench

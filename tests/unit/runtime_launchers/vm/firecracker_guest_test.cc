// Firecracker's guest, most of all its snapshots, with VMMs that are shell scripts and whose API
// and agent this test plays.
#include "runtime_launchers/vm/firecracker_guest.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/error.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"
#include "tests/unit/runtime_launchers/support/fake_socket.h"
#include "tests/unit/runtime_launchers/support/guest_test.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

const std::string kAnswered = HttpAnswer(200, R"({"state": "Not started"})");
const std::string kTaken = "HTTP/1.1 204 No Content\r\n\r\n";

std::string FaultAnswer(const std::string& message) {
  return HttpAnswer(400, R"({"fault_message": ")" + message + R"("})");
}

// The host's end of a vsock: answers each connection with the next of its texts, and closes it if
// that is "". Once all are given, connections are refused.
class FakeVsock {
 public:
  explicit FakeVsock(Lines answers) : answers_(std::move(answers)) {
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeVsock() {
    socket_.Close();
    thread_.join();
  }
  fs::path path() const { return socket_.path(); }

 private:
  void Serve() {
    for (const std::string& answer : answers_) {
      UniqueFd connection = socket_.Accept();
      if (!connection) return;
      char request[32] = {};
      const ssize_t n = recv(connection.get(), request, sizeof request - 1, 0);
      EXPECT_EQ(std::string(request, static_cast<std::size_t>(std::max<ssize_t>(n, 0))),
                "CONNECT 52\n");
      if (answer.empty()) continue;
      send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      connections_.push_back(std::move(connection));
    }
    socket_.Close();
  }

  FakeSocket socket_;
  Lines answers_;
  std::vector<UniqueFd> connections_;  // the thread's
  std::thread thread_;
};

class FirecrackerGuestTest : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    if (IsSkipped()) return;
    for (const char* name : {"vmlinux", "initramfs", "state", "memory"}) {
      std::ofstream(dir_.path() / name) << name;
    }
  }

  // The VMM of this test: answers this, runs `script` with its sockets in place, and waits.
  FirecrackerOptions Vmm(Lines answers, const std::string& script = "", Lines agent = {}) {
    api_ = std::make_unique<FakeHttpServer>(std::move(answers));
    agent_ = std::make_unique<FakeVsock>(std::move(agent));
    FirecrackerOptions options;
    options.binary = dir_.path() / "firecracker";
    std::ofstream(options.binary) << "#!/bin/sh\necho \"$@\" >arguments\nln -s "
                                  << agent_->path().string() << " v.sock\n"
                                  << script << "\nln -s " << api_->path().string()
                                  << " api.sock\nexec sleep 60\n";
    fs::permissions(options.binary, fs::perms(0755));
    return options;
  }

  // A VMM that boots a template.
  static Lines Booted(const Lines& more = {}) {
    Lines answers = {kAnswered, kTaken, kTaken, kTaken, kTaken, kTaken};
    answers.insert(answers.end(), more.begin(), more.end());
    return answers;
  }

  GuestImage Image() const {
    GuestImage image;
    image.vmlinux = dir_.path() / "vmlinux";
    image.initramfs = dir_.path() / "initramfs";
    image.guest_kernel_release = "6.1";
    return image;
  }
  FirecrackerSnapshot Snapshot() const {
    return {dir_.path() / "state", dir_.path() / "memory", "6.1", "abc"};
  }

  // What Restore says against it; "" if nothing.
  std::string RestoreFault(const FirecrackerOptions& options) {
    return FaultBy(options, [&](FirecrackerGuest& guest) { guest.Restore(request_, Snapshot()); });
  }
  // The same of a boot and a SaveTo of that machine.
  std::string SaveFault(const FirecrackerOptions& options) {
    return FaultBy(options, [&](FirecrackerGuest& guest) {
      guest.BootTemplate(request_, Image());
      guest.SaveTo(Saved(), request_.deadline);
    });
  }
  FirecrackerSnapshot Saved() const {
    return {dir_.path() / "saved-state", dir_.path() / "saved-memory", "6.1", "abc"};
  }
  // And nothing of the guest is left.
  template <typename Action>
  std::string FaultBy(const FirecrackerOptions& options, Action action) {
    std::string fault;
    {
      FirecrackerGuest guest(options, request_);
      try {
        action(guest);
      } catch (const Error& error) {
        fault = error.what();
      }
    }
    EXPECT_FALSE(Cgroup(request_.cgroup).Exists()) << fault;
    fs::remove_all(request_.guest_dir);
    fs::create_directory(request_.guest_dir);
    return fault;
  }

  // What a VMM writes when it is asked for a snapshot, here before.
  static std::string Saves() { return "echo machine >machine; echo pages >memory\n"; }

  static std::string Content(const fs::path& file) {
    std::string text;
    std::getline(std::ifstream(file), text);
    return text;
  }

  std::unique_ptr<FakeHttpServer> api_;
  std::unique_ptr<FakeVsock> agent_;
};

TEST_F(FirecrackerGuestTest, ATemplateIsSavedOnceItsAgentListensForOneAlone) {
  // It does not listen yet, listens for two, and then for nobody but the one that is connected.
  const FirecrackerOptions options =
      Vmm(Booted({kTaken, kTaken}), Saves(), {"", "OK 1073741824\n", "OK 1073741825\n", ""});
  FirecrackerGuest guest(options, request_);
  guest.BootTemplate(request_, Image());
  guest.SaveTo(Saved(), Soon());
  EXPECT_EQ(Content(Saved().state), "machine");
  EXPECT_EQ(Content(Saved().memory), "pages");
  const Lines lines = api_->lines();
  EXPECT_EQ(Lines(lines.end() - 3, lines.end()),
            (Lines{"PUT /actions", "PATCH /vm", "PUT /snapshot/create"}));
  EXPECT_NE(api_->requests().at(3).body.find(" --relisten"), std::string::npos)
      << api_->requests().at(3).body;
  guest.Shutdown(StopMode::kForced, Soon());
  EXPECT_FALSE(Cgroup(request_.cgroup).Exists());
}

TEST_F(FirecrackerGuestTest, WhatTheVmmRefusesOfASaveIsToldAndNothingIsKept) {
  const Lines ready = {"OK 1\n", ""};
  EXPECT_NE(SaveFault(Vmm(Booted({FaultAnswer("no pause")}), "", ready)).find("no pause"),
            std::string::npos);
  const std::string fault =
      SaveFault(Vmm(Booted({kTaken, FaultAnswer("disk is full")}), "echo the last words", ready));
  EXPECT_NE(fault.find("refuses /snapshot/create"), std::string::npos) << fault;
  EXPECT_NE(fault.find("disk is full"), std::string::npos) << fault;
  EXPECT_NE(fault.find("| the last words"), std::string::npos) << fault;
  EXPECT_FALSE(fs::exists(Saved().state));
}

TEST_F(FirecrackerGuestTest, ASnapshotThatTheVmmDidNotWriteIsAnError) {
  const std::string fault =
      SaveFault(Vmm(Booted({kTaken, kTaken}), "echo machine >machine", {"OK 1\n", ""}));
  EXPECT_NE(fault.find("snapshot cannot be kept: No such file"), std::string::npos) << fault;
}

TEST_F(FirecrackerGuestTest, AnAgentThatIsNotReadyIsWaitedForUntilTheDeadline) {
  request_.deadline = Deadline::In(std::chrono::milliseconds(700));
  const std::string fault = SaveFault(Vmm(Booted(), "echo the last words"));
  EXPECT_NE(fault.find("agent did not answer in time"), std::string::npos) << fault;
  EXPECT_NE(fault.find("| the last words"), std::string::npos) << fault;
}

TEST_F(FirecrackerGuestTest, AVmmThatDiesBeforeItIsSavedIsToldToHave) {
  const std::string dies = "(sleep 0.5; kill -9 $$) &";
  const std::string fault = SaveFault(Vmm(Booted(), dies));
  EXPECT_NE(fault.find("the guest died: was killed by signal 9"), std::string::npos) << fault;
}

TEST_F(FirecrackerGuestTest, ARestoredMachineIsLoadedFromTheFilesInItsFolder) {
  const FirecrackerOptions options =
      Vmm({kAnswered, kTaken, kTaken, kTaken},
          R"(echo '{"api_server": {"process_startup_time_us": 4711},)"
          R"( "latencies_us": {"load_snapshot": 42}}' >metrics)");
  FirecrackerGuest guest(options, request_);
  guest.Restore(request_, Snapshot());
  EXPECT_EQ(api_->lines(), (Lines{"GET /", "PUT /metrics", "PUT /snapshot/load"}));
  EXPECT_EQ(Content(request_.guest_dir / "machine"), "state");
  EXPECT_EQ(Content(request_.guest_dir / "memory"), "memory");
  const Endpoint endpoint = guest.TakeEndpoint();
  const auto* const vsock = std::get_if<VsockOverUnixEndpoint>(&endpoint);
  ASSERT_NE(vsock, nullptr);
  EXPECT_EQ(vsock->path, request_.guest_dir / "v.sock");
  EXPECT_EQ(vsock->port, 52);
  EXPECT_EQ(guest.DeathReason(), "");
  EXPECT_TRUE(Cgroup(request_.cgroup).Exists());
  const auto facts = guest.Facts();
  EXPECT_EQ(facts.at("snapshot"), Snapshot().memory);
  EXPECT_EQ(facts.at("vmm_startup_us"), "4711");
  EXPECT_EQ(facts.at("snapshot_load_us"), "42");
  guest.Shutdown(StopMode::kForced, Soon());
  EXPECT_EQ(guest.Facts().count("vmm_startup_us"), 0) << "its VMM has ended";
  EXPECT_FALSE(Cgroup(request_.cgroup).Exists());
}

TEST_F(FirecrackerGuestTest, EachRefusalOfARestoreIsToldWithTheVmmsLastWords) {
  const std::vector<std::pair<std::string, Lines>> cases = {
      {"/", {FaultAnswer("odd")}},
      {"/metrics", {kAnswered, FaultAnswer("odd")}},
      {"/snapshot/load", {kAnswered, kTaken, FaultAnswer("odd")}}};
  for (const auto& [target, answers] : cases) {
    const std::string fault = RestoreFault(Vmm(answers, "echo the last words"));
    EXPECT_NE(fault.find("Firecracker refuses " + target + ": status 400"), std::string::npos)
        << fault;
    EXPECT_NE(fault.find("odd"), std::string::npos) << fault;
    EXPECT_NE(fault.find("| the last words"), std::string::npos) << fault;
  }
}

// It has answered, and is gone at the next call.
TEST_F(FirecrackerGuestTest, AVmmThatDiesInBetweenIsToldToHave) {
  const std::string dies = "echo bad CPU\n(sleep 0.3; kill -6 $$) &";
  for (const Lines& answers : {Lines{kAnswered, kTaken, ""}, {kAnswered, ""}}) {
    request_.deadline = Deadline::In(std::chrono::milliseconds(1000));
    const std::string fault = RestoreFault(Vmm(answers, dies));
    EXPECT_NE(fault.find("Firecracker was killed by signal 6"), std::string::npos) << fault;
    EXPECT_NE(fault.find("| bad CPU"), std::string::npos) << fault;
  }
}

TEST_F(FirecrackerGuestTest, ASnapshotThatIsNotThereIsAnErrorBeforeAnythingRuns) {
  fs::remove(Snapshot().memory);
  FirecrackerOptions options = Vmm({kAnswered});
  options.jailer = "/bin/false";
  const std::string fault = RestoreFault(options);
  EXPECT_NE(fault.find("cannot give the VMM " + Snapshot().memory.string()), std::string::npos)
      << fault;
  EXPECT_TRUE(api_->requests().empty());
}

}  // namespace
}  // namespace hvbench

// A container of a daemon that is made up, whose process is a real one: what is believed of the
// daemon's word for it, and what becomes of a process that is not.
#include "runtime_launchers/docker/guest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/environment_variable.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"
#include "tests/unit/runtime_launchers/support/guest_test.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// Ids that this process alone uses, since tests run beside each other.
const std::string kOurId = [] {
  const std::string pid = std::to_string(getpid());
  return std::string(64 - pid.size(), 'c') + pid;
}();
const std::string kAnothersId = 'd' + kOurId.substr(1);

class DockerGuestTest : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    if (IsSkipped()) return;
    request_.guest_id = "hvbench-unit-1";
    daemon_ = std::make_unique<FakeHttpServer>(
        [this](const FakeHttpRequest& request) { return Answer(request.line()); });
    host_ =
        std::make_unique<EnvironmentVariable>("DOCKER_HOST", "unix://" + daemon_->path().string());
  }
  void TearDown() override {
    daemon_.reset();  // whose thread starts processes
    GuestTest::TearDown();
  }

  // As far as a test has no other daemon in mind.
  std::string Answer(const std::string& line) {
    if (line.starts_with("GET /images/")) return HttpAnswer(200, "{}");
    if (line.starts_with("POST /containers/create")) {
      return HttpAnswer(201, R"({"Id": ")" + kOurId + R"("})");
    }
    if (line.find("/attach?") != std::string::npos) return "HTTP/1.1 200 OK\r\n\r\n";
    if (line.ends_with("/start")) return on_start_();
    if (line.find("/wait") != std::string::npos) return HttpAnswer(200, R"({"StatusCode": 5})");
    if (line.starts_with("GET /containers/")) {
      return HttpAnswer(200, R"({"State": {)" + state_() + "}}");
    }
    return HttpAnswer(204, "");
  }

  // Starts the container's process, in the group of a container of that id.
  std::string StartIn(const std::string& id) {
    const Cgroup group = GroupOf(id);
    group.Create({});
    SpawnOptions options;
    options.die_with_parent = false;  // the daemon's thread ends before the test does
    options.cgroup_procs = group.ProcsFiles();
    container_ = Process::Spawn({"/bin/sleep", "60"}, options);
    pid_ = container_.pid();
    return HttpAnswer(204, "");
  }
  std::string Running() const { return R"("Running": true, "Pid": )" + std::to_string(pid_); }
  Cgroup GroupOf(const std::string& id) const { return Cgroup(run_cgroup_ + "/" + id); }

  std::unique_ptr<DockerGuest> Make() const {
    DaemonInfo info;
    info.cgroup_driver = "cgroupfs";
    return std::make_unique<DockerGuest>(
        request_, DockerRuntime{}, OciRuntimeOfDaemon{"runc", "/nonexistent/runc", "", ""}, info);
  }
  // What a start says against it, and as what; "" if nothing. The container is removed then.
  template <typename Kind = Error>
  std::string StartFault() {
    std::string fault;
    try {
      Make()->Start(request_);
    } catch (const Kind& error) {
      fault = error.what();
    }
    EXPECT_EQ(daemon_->lines().back(),
              "DELETE /containers/" + request_.guest_id + "?force=true&v=true");
    EXPECT_FALSE(fs::exists(AskedForContainer(request_.guest_dir)));
    return fault;
  }
  // That a daemon which names this process is refused with these words.
  void ExpectRefused(pid_t pid, const std::string& says) {
    pid_ = pid;
    const std::string fault = StartFault<NotProved>();
    EXPECT_NE(fault.find("the Docker daemon runs in another PID namespace, or names processes"),
              std::string::npos)
        << fault;
    EXPECT_NE(fault.find("it named process " + std::to_string(pid) + ", but "), std::string::npos)
        << fault;
    EXPECT_NE(fault.find(says), std::string::npos) << fault;
  }

  // The daemon's thread calls them, while the test waits for its answer.
  std::function<std::string()> on_start_ = [this] { return StartIn(kOurId); };
  std::function<std::string()> state_ = [this] { return Running(); };
  Process container_;
  pid_t pid_ = 0;
  std::unique_ptr<FakeHttpServer> daemon_;
  std::unique_ptr<EnvironmentVariable> host_;
};

TEST_F(DockerGuestTest, AProcessInItsContainersGroupIsProvedAndHeld) {
  const auto guest = Make();
  guest->Start(request_);
  std::ifstream held("/proc/self/fdinfo/" + std::to_string(guest->DeathFd()));
  std::string of_pid;
  for (std::string line; std::getline(held, line);) {
    if (line.starts_with("Pid:")) of_pid = line.substr(line.find_last_of(" \t") + 1);
  }
  EXPECT_EQ(of_pid, std::to_string(pid_)) << "no pidfd of it";
  EXPECT_TRUE(std::holds_alternative<MultiplexedEndpoint>(guest->TakeEndpoint()));
  guest->Freeze();
  guest->Thaw();
  EXPECT_TRUE(GroupOf(kOurId).Exists());
  EXPECT_TRUE(fs::exists(AskedForContainer(request_.guest_dir)));
  guest->Shutdown(StopMode::kForced, Soon());
  EXPECT_TRUE(container_.Wait(Soon()));
  EXPECT_FALSE(GroupOf(kOurId).Exists());
  EXPECT_FALSE(fs::exists(AskedForContainer(request_.guest_dir)));
  EXPECT_TRUE(daemon_->lines().back().starts_with("DELETE /containers/hvbench-unit-1"));
}

TEST_F(DockerGuestTest, ItsEndIsTheDaemonsToTell) {
  const auto guest = Make();
  guest->Start(request_);
  int asked = 0;
  state_ = [&] {  // known a moment later
    return ++asked < 3 ? Running() : std::string(R"("Running": false, "Pid": 0, "ExitCode": 137,
                                        "OOMKilled": true, "Error": "the daemon's words")");
  };
  container_.Kill(SIGKILL);
  ASSERT_TRUE(WaitReadable(guest->DeathFd(), Soon(), false));
  EXPECT_EQ(guest->DeathReason(),
            "was killed by signal 9 (Killed), out of memory: its limit is 64 MiB");
  EXPECT_EQ(guest->ConsoleTail(), "the daemon's words");
  EXPECT_EQ(asked, 3);
}

// A daemon that names another's process, whatever its reason.
TEST_F(DockerGuestTest, AProcessOfAnotherContainerIsRefusedAndLivesOn) {
  on_start_ = [this] { return StartIn(kAnothersId); };
  {
    const std::string fault = StartFault<NotProved>();
    EXPECT_NE(fault.find("(sleep) is in the control group "), std::string::npos) << fault;
    EXPECT_NE(fault.find(kAnothersId + ", which does not bear the name " + kOurId),
              std::string::npos)
        << fault;
  }
  EXPECT_FALSE(container_.Wait(Deadline()));
  EXPECT_TRUE(GroupOf(kAnothersId).Exists());
}

TEST_F(DockerGuestTest, WhatIsNoContainersProcessIsRefusedWithTheReason) {
  Process bystander;
  on_start_ = [&] {
    SpawnOptions options;
    options.die_with_parent = false;
    if (bystander.pid() <= 0) bystander = Process::Spawn({"/bin/sleep", "60"}, options);
    if (pid_ == 0) pid_ = bystander.pid();
    return HttpAnswer(204, "");
  };
  const std::string fault = StartFault<NotProved>();
  EXPECT_NE(fault.find(" (sleep) is in the control group "), std::string::npos) << fault;
  EXPECT_NE(fault.find("which does not bear the name " + kOurId), std::string::npos) << fault;
  ExpectRefused(getpid(), "is this program or one of its ancestors");
  ExpectRefused(1, "process 1 is the system's first one");
  ExpectRefused(1 << 30, "there is no process");
  EXPECT_FALSE(bystander.Wait(Deadline()));
}

// Such as one that has a process's number by now which the daemon still knows.
TEST_F(DockerGuestTest, AProcessThatIsOlderThanTheContainerIsRefused) {
  Process old = Process::Spawn({"/bin/sleep", "60"}, {});
  Pause(std::chrono::milliseconds(50), false);  // of the clock's 10 ms
  on_start_ = [&] {
    const Cgroup group = GroupOf(kOurId);
    group.Create({});
    group.Admit(IdentityProof::OfOwnChild(old.pid()));
    return HttpAnswer(204, "");
  };
  ExpectRefused(old.pid(), "is older than the guest");
}

TEST_F(DockerGuestTest, AStartThatTheDaemonRefusesLeavesNoProcess) {
  on_start_ = [this] {
    StartIn(kOurId);
    return HttpAnswer(500, R"({"message": "out of cheese"})");
  };
  EXPECT_NE(StartFault().find("out of cheese"), std::string::npos);
  EXPECT_TRUE(container_.Wait(Soon()));
  EXPECT_FALSE(GroupOf(kOurId).Exists());
}

TEST_F(DockerGuestTest, AGroupThatWasThereBeforeIsLeftAlone) {
  StartIn(kOurId);
  const std::string fault = StartFault<NotProved>();
  EXPECT_NE(fault.find(kOurId + ", whose control group was there before: it was left alone"),
            std::string::npos)
      << fault;
  EXPECT_FALSE(container_.Wait(Deadline()));
  EXPECT_TRUE(GroupOf(kOurId).Exists());
}

TEST_F(DockerGuestTest, AContainerThatEndsWhileItIsLookedAtHasEndedAtOnce) {
  int asked = 0;
  state_ = [&] {
    if (++asked == 1) {
      container_.Kill(SIGKILL);
      container_.Wait(Soon());
    }
    return asked < 3 ? Running() : std::string(R"("Running": false, "Pid": 0)");
  };
  const std::string fault = StartFault();
  EXPECT_EQ(fault, "the container ended at once, with status 5");
}

}  // namespace
}  // namespace hvbench

// A task of a containerd that is made up, from its making to its removal. Its process is a real
// one, in the guest's own control group.
#include "runtime_launchers/containerd/guest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <protozero/pbf_writer.hpp>
#include <variant>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/environment_variable.h"
#include "tests/unit/runtime_launchers/support/fake_grpc_server.h"
#include "tests/unit/runtime_launchers/support/guest_test.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

using Answers = std::vector<FakeGrpcAnswer>;
using Methods = std::vector<std::string>;

constexpr int kUnknownStatus = 2;  // gRPC's status

std::string NumberField(std::uint32_t field, std::uint64_t value) {
  std::string bytes;
  protozero::pbf_writer(bytes).add_uint64(field, value);
  return bytes;
}

class ContainerdGuestTest : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    if (!IsSkipped()) fs::create_directory(dir_.path() / request_.guest_id);
  }

  void RenewFolder() const {
    fs::remove_all(request_.guest_dir);
    fs::create_directory(request_.guest_dir);
  }

  // The daemon of this test from now on.
  void Serve(Answers answers, bool goes_away = false) {
    const Answers removal(goes_away ? 0 : 3, GrpcReplyOf(""));
    answers.insert(answers.end(), removal.begin(), removal.end());
    daemon_.reset();
    daemon_ = std::make_unique<FakeGrpcServer>(std::move(answers));
    address_.reset();
    address_ = std::make_unique<EnvironmentVariable>("CONTAINERD_ADDRESS", daemon_->path());
  }

  // Starts a process that the test owns, on the daemon's thread, which ends before it does.
  pid_t StartTask(const std::vector<std::string>& argv, bool in_group, const fs::path& dir) {
    SpawnOptions options;
    options.die_with_parent = false;
    options.working_dir = dir;
    if (in_group) options.cgroup_procs = Cgroup(request_.cgroup).ProcsFiles();
    task_ = Process::Spawn(argv, options);
    return task_.pid();
  }
  // What the daemon says of the task that it made: its process runs a script.
  FakeGrpcAnswer Task(const std::string& script = "exec sleep 60") {
    return GrpcReplyBy([this, script] {
      return NumberField(2, static_cast<std::uint64_t>(StartTask(
                                {"/bin/sh", "-c", script}, /*in_group=*/true, request_.guest_dir)));
    });
  }
  // The same of a child of a shim, in the shim's own group unless it enters the guest's.
  FakeGrpcAnswer TaskOfShim(bool in_group) {
    return GrpcReplyBy([this, in_group] {
      const fs::path shim = dir_.path() / "containerd-shim-test-v2";
      std::error_code there;
      fs::copy_file(fs::canonical("/bin/sh"), shim, there);
      std::string enter;
      for (const fs::path& file : Cgroup(request_.cgroup).ProcsFiles()) {
        if (in_group) enter += "echo 0 >" + file.string() + "; ";
      }
      const fs::path pid_file = request_.guest_dir / "pid";
      StartTask({shim, "-c",
                 "sh -c '" + enter + "echo $$ >pid.new; mv pid.new " + pid_file.string() +
                     "; exec sleep 60' & wait; sleep 60",
                 "-id", request_.guest_id},
                /*in_group=*/false, dir_.path() / request_.guest_id);
      pid_t child = 0;
      for (const Deadline deadline = Soon(); child == 0 && !deadline.Passed();) {
        std::ifstream(pid_file) >> child;
      }
      return NumberField(2, static_cast<std::uint64_t>(child));
    });
  }

  // What a start says against it, "" if nothing; and nothing of the guest is left.
  std::string StartFault(ContainerdTask task = {}) {
    std::string fault;
    {
      ContainerdGuest guest(request_, std::move(task));
      try {
        guest.Start(request_);
      } catch (const Error& error) {
        fault = error.what();
      }
    }
    ExpectGone();
    RenewFolder();
    return fault;
  }
  void ExpectGone() { EXPECT_FALSE(Cgroup(request_.cgroup).Exists()); }
  bool TaskHasEnded() { return task_.Wait(Soon()).has_value(); }

  Process task_;
  std::unique_ptr<FakeGrpcServer> daemon_;
  std::unique_ptr<EnvironmentVariable> address_;
};

TEST_F(ContainerdGuestTest, ItsAgentIsReachedThroughTheFifosUntilItEndsByItself) {
  Serve({GrpcReplyOf(""), Task("exec cat <stdin >stdout"), GrpcReplyOf(""),
         GrpcReplyOf(NumberField(1, 3))});
  ContainerdGuest guest(request_, {});
  guest.Start(request_);
  EXPECT_EQ(guest.DeathReason(), "");
  EXPECT_GT(guest.Phases().process_started_ns, guest.Phases().launch_called_ns);
  EXPECT_EQ(Cgroup(request_.cgroup).Processes(), std::vector<pid_t>{task_.pid()});
  {
    Endpoint endpoint = guest.TakeEndpoint();
    auto& pipes = std::get<PipeEndpoint>(endpoint);
    ASSERT_EQ(write(pipes.to_guest.get(), "hello", 5), 5);
    ASSERT_TRUE(WaitReadable(pipes.from_guest.get(), Soon(), false));
    char text[16] = {};
    EXPECT_EQ(read(pipes.from_guest.get(), text, sizeof text), 5);
    EXPECT_STREQ(text, "hello");
  }
  ASSERT_TRUE(WaitReadable(guest.DeathFd(), Soon(), false)) << "it sees the end of its input";
  EXPECT_EQ(guest.DeathReason(), "exited with 3");
  guest.Shutdown(StopMode::kOrderly, Soon());
  guest.Shutdown(StopMode::kForced, Soon());
  EXPECT_EQ(daemon_->methods(),
            (Methods{"Create", "Create", "Start", "Wait", "Kill", "Delete", "Delete"}));
  ExpectGone();
}

TEST_F(ContainerdGuestTest, ATaskIsKilledWithItsGroupAndItsEndIsTheDaemonsToTell) {
  Serve({GrpcReplyOf(""), Task(), GrpcReplyOf(""), GrpcReplyOf(NumberField(1, 137))});
  ContainerdGuest guest(request_, {});
  guest.Start(request_);
  task_.Kill(SIGKILL);
  ASSERT_TRUE(WaitReadable(guest.DeathFd(), Soon(), false));
  EXPECT_EQ(guest.DeathReason(), "was killed by signal 9 (Killed)");
  // Another one lives until it is forced.
  guest.Shutdown(StopMode::kForced, Soon());
  ExpectGone();
  RenewFolder();
  Serve({GrpcReplyOf(""), Task(), GrpcReplyOf("")});
  ContainerdGuest living(request_, {});
  living.Start(request_);
  living.Shutdown(StopMode::kForced, Soon());
  EXPECT_TRUE(TaskHasEnded());
  EXPECT_EQ(daemon_->methods().at(3), "Kill");
  ExpectGone();
}

TEST_F(ContainerdGuestTest, EachRefusalIsToldAndWhatWasMadeIsRemoved) {
  const FakeGrpcAnswer refusal = GrpcRefusal(kUnknownStatus, "out of cheese");
  const std::vector<std::pair<std::string, Answers>> cases = {
      {"containerd cannot create the container: out of cheese", {refusal}},
      {"containerd cannot create the task: out of cheese", {GrpcReplyOf(""), refusal}},
      {"containerd cannot start the task: out of cheese", {GrpcReplyOf(""), Task(), refusal}}};
  for (const auto& [says, answers] : cases) {
    Serve(answers);
    EXPECT_EQ(StartFault(), says);
    const Methods methods = daemon_->methods();
    ASSERT_EQ(methods.size(), answers.size() + 3);
    EXPECT_EQ(Methods(methods.end() - 3, methods.end()), (Methods{"Kill", "Delete", "Delete"}));
  }
  EXPECT_TRUE(TaskHasEnded());
}

TEST_F(ContainerdGuestTest, WhatIsNoAnswerIsAnErrorAndWhatMayBeMadeIsRemoved) {
  const Answers made = {GrpcReplyOf(""), Task()};
  for (const FakeGrpcAnswer& bad : {FakeGrpcAnswer{"no HTTP/2", "", {}}, GrpcSilence()}) {
    for (std::size_t step = 0; step < 3; ++step) {
      request_.deadline = Deadline::In(std::chrono::milliseconds(bad.silent ? 300 : 10'000));
      Answers answers(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(step));
      answers.push_back(bad);
      Serve(answers);
      EXPECT_NE(StartFault(), "") << step;
      const Methods methods = daemon_->methods();
      ASSERT_GE(methods.size(), 3) << step;
      EXPECT_EQ(Methods(methods.end() - 3, methods.end()), (Methods{"Kill", "Delete", "Delete"}));
    }
  }
  EXPECT_TRUE(TaskHasEnded());
  request_.deadline = Soon();
  Serve({GrpcReplyOf(""), GrpcReplyOf("\xff")});
  EXPECT_NE(StartFault(), "") << "a message that is none";
}

TEST_F(ContainerdGuestTest, AProcessThatIsNotTheGuestsIsNotBelievedAndLivesOn) {
  Process bystander = Process::Spawn({"/bin/sleep", "60"}, {});
  const auto named = [](pid_t pid) {
    return GrpcReplyOf(NumberField(2, static_cast<std::uint64_t>(pid)));
  };
  const std::vector<std::pair<pid_t, std::string>> cases = {
      {bystander.pid(), " (sleep)"}, {getpid(), "this program"}, {1, "first one"}, {0, "visible"}};
  for (const auto& [pid, says] : cases) {
    Serve({GrpcReplyOf(""), named(pid)});
    const std::string fault = StartFault();
    EXPECT_NE(fault.find("containerd runs in another PID namespace"), std::string::npos) << fault;
    EXPECT_NE(fault.find("it named process " + std::to_string(pid)), std::string::npos) << fault;
    EXPECT_NE(fault.find(says), std::string::npos) << fault;
    EXPECT_EQ(daemon_->methods().size(), 5);
  }
  // A VM's process may be elsewhere, but only below its shim.
  ContainerdTask machine;
  machine.is_vm = true;
  Serve({GrpcReplyOf(""), named(bystander.pid())});
  EXPECT_NE(StartFault(machine).find(" (sleep)"), std::string::npos);
  EXPECT_FALSE(bystander.Wait(Deadline()));
}

TEST_F(ContainerdGuestTest, AShimThatStaysIsEndedWithItsGuest) {
  // Removed twice: the second time after the shim has ended.
  Serve({GrpcReplyOf(""), TaskOfShim(/*in_group=*/true), GrpcReplyOf(""), GrpcReplyOf(""),
         GrpcReplyOf(""), GrpcReplyOf("")});
  ContainerdGuest guest(request_, {});
  guest.Start(request_);
  EXPECT_EQ(Cgroup(request_.cgroup).Processes().size(), 1) << "the shim is not in there";
  EXPECT_EQ(guest.Memory().processes, 2) << "and counts all the same";
  guest.Shutdown(StopMode::kForced, Soon());
  EXPECT_TRUE(TaskHasEnded());
  ExpectGone();
}

TEST_F(ContainerdGuestTest, AMachineIsFoundBelowItsShimAndEntersTheGroupWithIt) {
  Serve({GrpcReplyOf(""), TaskOfShim(/*in_group=*/false), GrpcReplyOf(""), GrpcReplyOf(""),
         GrpcReplyOf(""), GrpcReplyOf("")});
  ContainerdTask machine;
  machine.is_vm = true;
  ContainerdGuest guest(request_, machine);
  guest.Start(request_);
  const std::vector<pid_t> members = Cgroup(request_.cgroup).Processes();
  EXPECT_EQ(members.size(), 2);
  EXPECT_EQ(std::count(members.begin(), members.end(), task_.pid()), 1);
  guest.Shutdown(StopMode::kForced, Soon());
  EXPECT_TRUE(TaskHasEnded());
  ExpectGone();
}

TEST_F(ContainerdGuestTest, ADaemonThatIsGoneLeavesNoProcessAndIsTold) {
  Serve({GrpcReplyOf(""), TaskOfShim(/*in_group=*/true), GrpcReplyOf("")}, /*goes_away=*/true);
  ContainerdGuest guest(request_, {});
  guest.Start(request_);
  EXPECT_THROW(guest.Shutdown(StopMode::kForced, Soon()), SystemError);
  EXPECT_TRUE(TaskHasEnded()) << "the shim";
  ExpectGone();
}

TEST_F(ContainerdGuestTest, ATrialIsOfTheTasksStatusAndItsLastWords) {
  const auto ended_with = [this](std::uint64_t status) {
    return GrpcReplyBy([this, status] {
      EXPECT_TRUE(TaskHasEnded());
      return NumberField(1, status);
    });
  };
  const std::string words = "echo no such device >console.log";
  Serve({GrpcReplyOf(""), Task("sleep 0.2; " + words), GrpcReplyOf(""), ended_with(4)});
  std::string fault;
  {
    ContainerdGuest guest(request_, {});
    try {
      guest.Try(request_);
    } catch (const Error& error) {
      fault = error.what();
    }
  }
  EXPECT_EQ(fault, "a trial task ended with status 4\n  | no such device");
  ExpectGone();
  RenewFolder();
  Serve({GrpcReplyOf(""), Task("sleep 0.2"), GrpcReplyOf(""), ended_with(0)});
  ContainerdGuest guest(request_, {});
  EXPECT_NO_THROW(guest.Try(request_));
}

}  // namespace
}  // namespace hvbench

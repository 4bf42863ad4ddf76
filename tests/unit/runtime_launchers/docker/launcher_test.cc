// The launcher against a daemon that is made up: which OCI runtime it takes, what it asks the
// daemon for, and what it does where the daemon does not do it.
#include "runtime_launchers/docker/launcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "runtime_launchers/support/error.h"
#include "tests/support/environment_variable.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

// Rootless, so that no user of the tests is refused; and with systemd, whose groups the daemon
// makes.
std::string InfoWith(const std::string& runtimes, const std::string& version = "20.10.24") {
  return HttpAnswer(200, R"({"ServerVersion": ")" + version + R"(", "CgroupDriver": "systemd",
      "SecurityOptions": ["name=rootless"], "Runtimes": )" +
                             runtimes + "}");
}

const std::string kContainer(64, 'a');
const std::string kOurs = R"({"runc": {"path": "/nonexistent/runc"}})";
const std::string kCreated = HttpAnswer(201, R"({"Id": ")" + kContainer + R"("})");
const std::string kThere = HttpAnswer(200, "{}");
const std::string kNotFound = HttpAnswer(404, R"({"message": "no such thing"})");
const std::string kDone = HttpAnswer(204, "");

class DockerLauncherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(agent_) << "program";
    std::filesystem::create_directory(guest_dir_);
  }

  // The daemon of this test from now on.
  void Serve(std::vector<std::string> answers) {
    daemon_.reset();
    daemon_ = std::make_unique<FakeHttpServer>(std::move(answers));
    host_.reset();
    host_ =
        std::make_unique<EnvironmentVariable>("DOCKER_HOST", "unix://" + daemon_->path().string());
  }

  static std::unique_ptr<Launcher> Make(std::vector<std::string> options = {},
                                        const std::string& wanted = "runc",
                                        DockerRuntime runtime = {}) {
    return MakeDockerLauncher({"docker-x", "", std::move(options)}, wanted, {std::move(runtime)});
  }

  static ProbeResult Probe(Launcher& launcher) { return launcher.Probe(ProbeDepth::kShallow, {}); }

  std::string LaunchRefusal(Launcher& launcher) const {
    LaunchRequest request;
    request.guest_id = "hvbench-7-1";
    request.cgroup = "/hvbench-7/1";
    request.guest_dir = guest_dir_;
    request.agent = agent_;
    request.deadline = Soon();
    try {
      launcher.Launch(request);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const TemporaryDir dir_;
  const std::filesystem::path agent_ = dir_.path() / "agent";
  const std::filesystem::path guest_dir_ = dir_.path() / "guest";
  std::unique_ptr<FakeHttpServer> daemon_;
  std::unique_ptr<EnvironmentVariable> host_;
};

TEST_F(DockerLauncherTest, ARuntimeThatTheDaemonHasIsUsable) {
  Serve({InfoWith(kOurs)});
  const ProbeResult probe = Probe(*Make());
  EXPECT_TRUE(probe.usable) << probe.reason;
  EXPECT_EQ(probe.version, "20.10.24");
}

TEST_F(DockerLauncherTest, ARuntimeThatTheDaemonHasNotIsRefusedWithThoseItHas) {
  const std::string info = InfoWith(R"({"crun": {"path": "crun"}, "youki": {"path": "youki"}})");
  Serve({info, info, info});
  const auto launcher = Make();
  ProbeResult probe = Probe(*launcher);
  EXPECT_FALSE(probe.usable);
  EXPECT_EQ(probe.reason, "the Docker daemon has no OCI runtime runc; it has crun, youki");
  EXPECT_NE(probe.fix.find("--add-runtime runc="), std::string::npos) << probe.fix;
  EXPECT_EQ(LaunchRefusal(*launcher), probe.reason);
  DockerRuntime runtime;
  runtime.install_fix = "get it";
  probe = Probe(*Make({"runtime=runsc-kvm"}, "runsc", runtime));
  EXPECT_NE(probe.reason.find("runsc-kvm"), std::string::npos) << probe.reason;
  EXPECT_EQ(probe.fix, "get it");
}

TEST_F(DockerLauncherTest, AmongSeveralTheOptionDecides) {
  const std::string info = InfoWith(R"({"gvisor": {"path": "/a/runsc"},
                                        "gvisor-kvm": {"path": "/a/runsc"}})");
  Serve({info, info});
  const ProbeResult probe = Probe(*Make({}, "runsc"));
  EXPECT_FALSE(probe.usable);
  EXPECT_NE(probe.reason.find("gvisor, gvisor-kvm"), std::string::npos) << probe.reason;
  EXPECT_NE(probe.fix.find("runtime=NAME"), std::string::npos) << probe.fix;
  EXPECT_TRUE(Probe(*Make({"runtime=gvisor-kvm"}, "runsc")).usable);
}

TEST_F(DockerLauncherTest, AnUnknownOptionIsAnError) {
  for (const char* option : {"runtme=runc", "runtime", "--runtime=runc", ""}) {
    EXPECT_THROW(Make({option}), Error) << option;
  }
}

TEST_F(DockerLauncherTest, AShimThatTheDaemonDoesNotKnowIsTakenFromDocker23On) {
  DockerRuntime runtime;
  runtime.shim_name = "io.containerd.kata.v2";
  runtime.shim_program = "/bin/sh";  // is there
  Serve({InfoWith(kOurs, "20.10.24"), InfoWith(kOurs, "23.0.1"), InfoWith(kOurs, "29.0.0"),
         InfoWith(kOurs, "29.0.0"), InfoWith(kOurs, "29.0.0"), InfoWith(kOurs, "29.0.0")});
  EXPECT_FALSE(Probe(*Make({}, "kata", runtime)).usable) << "too old";
  EXPECT_TRUE(Probe(*Make({}, "kata", runtime)).usable);
  EXPECT_TRUE(Probe(*Make({"runtime=io.containerd.kata.v2"}, "kata", runtime)).usable);
  EXPECT_FALSE(Probe(*Make({"runtime=kata-qemu"}, "kata", runtime)).usable) << "another name";
  runtime.shim_program = "/nonexistent/shim";
  EXPECT_FALSE(Probe(*Make({}, "kata", runtime)).usable) << "no program";
  runtime.check = []() -> std::optional<Unusable> { return Unusable{"no KVM", "buy one"}; };
  EXPECT_EQ(Probe(*Make({}, "runc", runtime)).reason, "no KVM");
}

TEST_F(DockerLauncherTest, ADaemonOfRootIsNotForOthers) {
  if (geteuid() == 0) GTEST_SKIP() << "it needs another user than root";
  Serve({HttpAnswer(200, R"({"CgroupDriver": "systemd", "Runtimes": )" + kOurs + "}")});
  const ProbeResult probe = Probe(*Make());
  EXPECT_FALSE(probe.usable);
  EXPECT_NE(probe.fix.find("sudo"), std::string::npos) << probe.fix;
}

TEST_F(DockerLauncherTest, AnAbsentDaemonIsTakenForNoOtherFault) {
  Serve({InfoWith(kOurs)});
  EXPECT_TRUE(Probe(*Make()).usable);
  const ProbeResult refused = Probe(*Make());
  EXPECT_NE(refused.reason.find("no Docker daemon answers"), std::string::npos) << refused.reason;
  EXPECT_NE(refused.fix.find("DOCKER_HOST"), std::string::npos) << refused.fix;
  Serve({HttpAnswer(503, R"({"message": "shutting down"})")});
  const ProbeResult ending = Probe(*Make());
  EXPECT_NE(ending.reason.find("shutting down"), std::string::npos) << ending.reason;
  EXPECT_EQ(ending.reason.find("no Docker daemon"), std::string::npos) << ending.reason;
}

TEST_F(DockerLauncherTest, TheImageIsImportedOnceAndTheContainerIsMadeOfIt) {
  Serve({InfoWith(kOurs), kNotFound, HttpAnswer(200, "{}"), kCreated,
         HttpAnswer(500, R"({"message": "cannot attach"})"), kDone});
  EXPECT_NE(LaunchRefusal(*Make()).find("cannot attach"), std::string::npos);
  const auto requests = daemon_->requests();
  ASSERT_EQ(requests.size(), 6);
  const std::string& tar = requests[2].body;
  EXPECT_TRUE(tar.starts_with("hvbench-agent")) << "the archive's first name";
  EXPECT_EQ(tar.substr(512, 7), "program");
  const Json config = Json::parse(requests[3].body);
  const std::string tag =
      config.at("Image").get<std::string>().substr(std::strlen("hvbench-agent:"));
  EXPECT_NE(requests[2].line().find("repo=hvbench-agent&tag=" + tag + "&"), std::string::npos);
  EXPECT_EQ(config.at("HostConfig").at("Runtime"), "runc");
  EXPECT_EQ(requests[3].line(), "POST /containers/create?name=hvbench-7-1");
  EXPECT_EQ(requests[5].line(), "DELETE /containers/hvbench-7-1?force=true&v=true");
}

// Another run's cleanup may remove the image between the look at it and its use.
TEST_F(DockerLauncherTest, AnImageThatVanishesIsImportedAgain) {
  Serve({InfoWith(kOurs), kThere, kNotFound, kNotFound, HttpAnswer(200, "{}"), kNotFound, kDone});
  EXPECT_NE(LaunchRefusal(*Make()).find("does not keep the image"), std::string::npos);
  EXPECT_EQ(daemon_->lines().at(4).find("POST /images/create"), 0);
  EXPECT_EQ(daemon_->lines().at(5), daemon_->lines().at(2));
}

TEST_F(DockerLauncherTest, AContainerWhoseIdIsNoneIsRemoved) {
  Serve({InfoWith(kOurs), kThere, HttpAnswer(201, R"({"Id": "../../system.slice"})"), kDone});
  EXPECT_NE(LaunchRefusal(*Make()).find("64 hexadecimal digits"), std::string::npos);
  EXPECT_TRUE(daemon_->lines().back().starts_with("DELETE /containers/hvbench-7-1"));
}

// The daemon may make it yet: it is removed all the same, and noted for the next run until then.
TEST_F(DockerLauncherTest, AContainerWithoutAnAnswerIsRemoved) {
  Serve({InfoWith(kOurs), kThere, "HTTP/1.1 201 Created\r\nContent-Le", kDone});
  EXPECT_NE(LaunchRefusal(*Make()).find("no proper HTTP"), std::string::npos);
  EXPECT_TRUE(daemon_->lines().back().starts_with("DELETE /containers/hvbench-7-1"));
  EXPECT_FALSE(std::filesystem::exists(AskedForContainer(guest_dir_)));
  Serve({InfoWith(kOurs), kThere, "HTTP/1.1 201 Created\r\nContent-Le"});
  EXPECT_NE(LaunchRefusal(*Make()).find("no proper HTTP"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(AskedForContainer(guest_dir_)));
}

TEST_F(DockerLauncherTest, AContainerThatEndsAtOnceIsToldWithItsWords) {
  const std::string words = "no such file\n";
  const std::string attached =
      "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" +
      std::string("\2\0\0\0\0\0\0", 7) + char(words.size()) + words;
  Serve({InfoWith(kOurs), kThere, kCreated, attached, kDone,
         HttpAnswer(200, R"({"State": {"Status": "exited", "Pid": 0, "ExitCode": 127}})"),
         HttpAnswer(200, R"({"StatusCode": 127})"), kDone});
  const std::string refusal = LaunchRefusal(*Make());
  EXPECT_NE(refusal.find("status 127"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("no such file"), std::string::npos) << refusal;
  EXPECT_TRUE(daemon_->lines().back().starts_with("DELETE "));
}

// Our own process is none of a container: its number must not be believed.
TEST_F(DockerLauncherTest, AProcessThatIsNotTheContainersIsRefused) {
  const std::string running =
      HttpAnswer(200, R"({"State": {"Running": true, "Pid": )" + std::to_string(getpid()) + "}}");
  std::vector<std::string> answers = {InfoWith(kOurs), kThere, kCreated, "HTTP/1.1 200 OK\r\n\r\n",
                                      kDone};
  answers.insert(answers.end(), 200, running);
  Serve(answers);
  const std::string refusal = LaunchRefusal(*Make());
  EXPECT_NE(refusal.find("it named process " + std::to_string(getpid())), std::string::npos)
      << refusal;
  EXPECT_TRUE(daemon_->lines().back().starts_with("DELETE ")) << daemon_->lines().back();
}

TEST_F(DockerLauncherTest, AStaleContainerThatTheDaemonIsStillMakingIsWaitedFor) {
  std::ofstream(AskedForContainer(guest_dir_)).close();
  Serve({kNotFound, kNotFound, kDone});
  Make()->RemoveStale("hvbench-7-1", guest_dir_);
  EXPECT_EQ(daemon_->lines().size(), 3);
  // One that nobody asked for a moment ago is simply not there.
  std::filesystem::last_write_time(
      AskedForContainer(guest_dir_),
      std::filesystem::file_time_type::clock::now() - std::chrono::minutes(1));
  Serve({kNotFound, kDone});
  Make()->RemoveStale("hvbench-7-1", guest_dir_);
  EXPECT_EQ(daemon_->lines().size(), 1);
  std::filesystem::remove(AskedForContainer(guest_dir_));
  Serve({kNotFound, kDone});
  Make()->RemoveStale("hvbench-7-1", guest_dir_);
  EXPECT_EQ(daemon_->lines().size(), 1);
}

// A daemon that says nothing costs a cleanup half a minute for a guest, and as much for the images.
TEST_F(DockerLauncherTest, ASilentDaemonIsWaitedForHalfAMinuteAndTold) {
  Serve({"", ""});
  const auto launcher = Make();
  const Deadline too_early = Deadline::In(std::chrono::seconds(29));
  const Deadline too_late = Deadline::In(std::chrono::seconds(45));
  std::thread images([&] { EXPECT_THROW(launcher->RemoveCaches(), TimedOut); });
  EXPECT_THROW(launcher->RemoveStale("hvbench-7-1", guest_dir_), TimedOut);
  EXPECT_TRUE(too_early.Passed());
  images.join();
  EXPECT_FALSE(too_late.Passed());
}

// One that was killed has the container when it comes back; one whose socket is gone has not.
TEST_F(DockerLauncherTest, OfAKilledDaemonAStaleContainerIsNotGone) {
  Serve({});
  const auto launcher = Make();
  {
    FakeSocket killed;
    killed.Close();
    const EnvironmentVariable host("DOCKER_HOST", "unix://" + killed.path().string());
    EXPECT_THROW(launcher->RemoveStale("hvbench-7-1", guest_dir_), SystemError);
  }
  const EnvironmentVariable host("DOCKER_HOST", "unix:///nonexistent/docker.sock");
  EXPECT_NO_THROW(launcher->RemoveStale("hvbench-7-1", guest_dir_));
  EXPECT_NO_THROW(launcher->RemoveCaches());
}

// `docker` with the option runtime=NAME measures what the daemon has by that name, as what it is.
TEST_F(DockerLauncherTest, ANamedRuntimeIsOfItsOwnKind) {
  DockerRuntime sandbox;
  sandbox.program = "runsc";
  sandbox.network_device = NetworkDevice::kNone;
  sandbox.check = [] { return std::optional(Unusable{"no sandbox here", "a fix"}); };
  const auto make = [&](const std::string& name) {
    return MakeDockerLauncher({"docker-x", "", {"runtime=" + name}}, "runc", {sandbox});
  };
  EXPECT_EQ(make("runsc-kvm")->network_device(), NetworkDevice::kNone);
  EXPECT_EQ(make("crun")->network_device(), NetworkDevice::kVeth);
  const std::string runtimes =
      R"({"crun": {"path": "/nonexistent/crun"}, "odd": {"path": "/nonexistent/runsc"}})";
  Serve({InfoWith(runtimes), InfoWith(runtimes)});
  EXPECT_TRUE(Probe(*make("crun")).usable);
  EXPECT_EQ(Probe(*make("odd")).reason, "no sandbox here");
}

}  // namespace
}  // namespace hvbench

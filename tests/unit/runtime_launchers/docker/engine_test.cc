// The Docker Engine API's client against daemons that refuse, break off, or say nothing.
#include "runtime_launchers/docker/engine.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <memory>

#include "runtime_launchers/docker/image.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/environment_variable.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;

class DockerEngineTest : public ::testing::Test {
 protected:
  // The daemon of this test from now on.
  DockerEngine EngineOf(std::vector<std::string> answers) {
    daemon_.reset();
    daemon_ = std::make_unique<FakeHttpServer>(std::move(answers));
    host_.reset();
    host_ =
        std::make_unique<EnvironmentVariable>("DOCKER_HOST", "unix://" + daemon_->path().string());
    return DockerEngine(/*interruptible=*/false);
  }

  std::unique_ptr<FakeHttpServer> daemon_;
  std::unique_ptr<EnvironmentVariable> host_;
};

template <typename Call>
std::string RefusalBy(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(DockerEngineTest, EveryRefusalHasTheDaemonsMessageAndStatus) {
  const auto call = [](const DockerEngine& engine, int which) {
    switch (which) {
      case 0:
        engine.Info(Soon());
        break;
      case 1:
        engine.HasImage("a:b", Soon());
        break;
      case 2:
        engine.ImportImage("a", "b", "tar", Soon());
        break;
      case 3:
        engine.CreateContainer("c", {}, Soon());
        break;
      case 4:
        engine.AttachContainer("c", Soon());
        break;
      case 5:
        engine.StartContainer("c", Soon());
        break;
      case 6:
        engine.WaitContainer("c", Soon());
        break;
      case 7:
        engine.StateOfContainer("c", Soon());
        break;
      case 8:
        engine.RemoveContainer("c", Soon());
        break;
      default:
        engine.RemoveOwnImages(Soon());
    }
  };
  for (int which = 0; which < 10; ++which) {
    const DockerEngine engine = EngineOf({HttpAnswer(500, R"({"message": "out of cheese"})")});
    const std::string refusal = RefusalBy([&] { call(engine, which); });
    EXPECT_NE(refusal.find("(HTTP 500): out of cheese"), std::string::npos) << which << refusal;
  }
}

TEST_F(DockerEngineTest, AnErrorOfAnotherFormIsQuotedUpToALimit) {
  for (const std::string body : {"plain words", R"({"message": 7})", R"(["x"])"}) {
    const DockerEngine engine = EngineOf({HttpAnswer(502, body)});
    const std::string refusal = RefusalBy([&] { engine.Info(Soon()); });
    EXPECT_TRUE(refusal.ends_with("(HTTP 502): " + body)) << refusal;
  }
  const DockerEngine engine = EngineOf({HttpAnswer(502, std::string(100'000, 'x'))});
  EXPECT_LT(RefusalBy([&] { engine.Info(Soon()); }).size(), 1000);
}

TEST_F(DockerEngineTest, AnAnswerThatIsCutOffIsAnErrorAndNoResult) {
  const std::string whole = HttpAnswer(200, R"({"ServerVersion": "20.10"})");
  for (const std::size_t size : {std::size_t{9}, whole.find("\r\n\r\n"), whole.size() - 1}) {
    const DockerEngine engine = EngineOf({whole.substr(0, size)});
    EXPECT_NE(RefusalBy([&] { engine.Info(Soon()); }).find(daemon_->path().string()),
              std::string::npos)
        << size;
  }
  for (const char* body : {"", "{\"ServerVersion\": ", "<html>"}) {
    const DockerEngine engine = EngineOf({HttpAnswer(200, body)});
    EXPECT_NE(RefusalBy([&] { engine.Info(Soon()); }).find("no JSON"), std::string::npos) << body;
  }
}

TEST_F(DockerEngineTest, SilenceEndsAtTheDeadlineAndAnAbsentDaemonAtOnce) {
  const DockerEngine engine = EngineOf({""});
  EXPECT_THROW(engine.Info(Deadline::In(milliseconds(50))), TimedOut);
  try {
    engine.Info(Soon());  // the only answer was the silence
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ECONNREFUSED);
  }
}

TEST_F(DockerEngineTest, OnlySocketsOfThisMachineAreTaken) {
  const EnvironmentVariable host("DOCKER_HOST", "tcp://127.0.0.1:2375");
  const std::string refusal = RefusalBy([] { const DockerEngine engine(false); });
  EXPECT_NE(refusal.find("tcp://127.0.0.1:2375"), std::string::npos) << refusal;
}

TEST_F(DockerEngineTest, AnImageThatIsNotThereIsNoError) {
  const DockerEngine engine =
      EngineOf({HttpAnswer(404, R"({"message": "no such image"})"), HttpAnswer(200, "{}")});
  EXPECT_FALSE(engine.HasImage("hvbench-agent:0", Soon()));
  EXPECT_TRUE(engine.HasImage("hvbench-agent:0", Soon()));
  EXPECT_EQ(daemon_->lines().at(0), "GET /images/hvbench-agent%3A0/json");
}

TEST_F(DockerEngineTest, AnImportReportsItsFailureInsideOfASuccess) {
  const DockerEngine engine = EngineOf(
      {HttpAnswer(200, "{\"status\":\"sha256:0\"}\n"),
       HttpAnswer(200, "{\"status\":\"Importing\"}\n{\"error\":\"no space left on device\"}\n")});
  engine.ImportImage("hvbench-agent", "0", "the tar", Soon());
  EXPECT_EQ(daemon_->lines().at(0),
            "POST /images/create?fromSrc=-&repo=hvbench-agent&tag=0"
            "&changes=LABEL%20org.hvbench%3D1");
  EXPECT_EQ(daemon_->requests().at(0).body, "the tar");
  const std::string refusal =
      RefusalBy([&] { engine.ImportImage("hvbench-agent", "0", "the tar", Soon()); });
  EXPECT_NE(refusal.find("no space left on device"), std::string::npos) << refusal;
}

TEST_F(DockerEngineTest, OnlyTheSuitesImagesAreRemovedAndThoseInUseAreKept) {
  const DockerEngine engine =
      EngineOf({HttpAnswer(200, R"([{"Id": "sha256:a"}, {"Created": 1}, {"Id": "sha256:b"},
                                    {"Id": "sha256:c"}, {"Id": "sha256:d"}])"),
                HttpAnswer(409, R"({"message": "in use"})"), HttpAnswer(404, "{}"),
                HttpAnswer(200, "[]"), HttpAnswer(500, R"({"message": "read-only"})")});
  const std::string refusal = RefusalBy([&] { engine.RemoveOwnImages(Soon()); });
  EXPECT_NE(refusal.find("read-only"), std::string::npos) << refusal;
  EXPECT_EQ(daemon_->lines(),
            (std::vector<std::string>{
                "GET /images/json?all=true&filters=%7B%22label%22%3A%5B%22org.hvbench%3D1%22%5D%7D",
                "DELETE /images/sha256%3Aa", "DELETE /images/sha256%3Ab",
                "DELETE /images/sha256%3Ac", "DELETE /images/sha256%3Ad"}));
}

TEST_F(DockerEngineTest, AContainerIsMadeOnlyIfItsIdIsTold) {
  for (const char* body : {"{}", R"({"Id": null})", R"({"Id": 7})", "[]", "not JSON"}) {
    const DockerEngine engine = EngineOf({HttpAnswer(201, body)});
    EXPECT_NE(RefusalBy([&] { engine.CreateContainer("c", {}, Soon()); }).find("no id"),
              std::string::npos)
        << body;
  }
  const DockerEngine engine = EngineOf(
      {HttpAnswer(404, R"({"message": "no such image"})"), HttpAnswer(201, R"({"Id": "0a"})")});
  EXPECT_FALSE(engine.CreateContainer("hvbench-1 &x=y", {{"Image", "i"}}, Soon()));
  EXPECT_EQ(engine.CreateContainer("c", {}, Soon()), "0a");
  EXPECT_EQ(daemon_->lines().at(0), "POST /containers/create?name=hvbench-1%20%26x%3Dy");
  EXPECT_EQ(daemon_->requests().at(0).body, R"({"Image":"i"})");
}

TEST_F(DockerEngineTest, AWaitWithoutAStatusIsAnError) {
  const DockerEngine engine =
      EngineOf({HttpAnswer(200, R"({"StatusCode": 137})"), HttpAnswer(200, "{}"),
                HttpAnswer(200, R"({"StatusCode": 0, "Error": {"Message": "lost its shim"}})"),
                HttpAnswer(200, R"({"StatusCode": 3, "Error": null})")});
  EXPECT_EQ(engine.WaitContainer("c", Soon()), 137);
  EXPECT_NE(RefusalBy([&] { engine.WaitContainer("c", Soon()); }).find("no status"),
            std::string::npos);
  EXPECT_NE(RefusalBy([&] { engine.WaitContainer("c", Soon()); }).find("lost its shim"),
            std::string::npos);
  EXPECT_EQ(engine.WaitContainer("c", Soon()), 3);
}

TEST_F(DockerEngineTest, ARemovalInProgressIsWaitedFor) {
  const std::string in_progress = HttpAnswer(409, R"({"message": "already in progress"})");
  const DockerEngine engine =
      EngineOf({in_progress, in_progress, HttpAnswer(404, "{}"), HttpAnswer(204, "")});
  EXPECT_FALSE(engine.RemoveContainer("c", Soon()));
  EXPECT_TRUE(engine.RemoveContainer("c", Soon()));
  EXPECT_EQ(daemon_->lines(),
            std::vector<std::string>(4, "DELETE /containers/c?force=true&v=true"));
}

// The message of the daemon says what is in the way; that a wait ended would not.
TEST_F(DockerEngineTest, ARemovalThatStaysInProgressHasTheDaemonsReasonAtTheDeadline) {
  const std::string in_progress = HttpAnswer(409, R"({"message": "already in progress"})");
  for (const std::vector<std::string>& answers :
       {std::vector<std::string>(1000, in_progress), {in_progress, in_progress, ""}}) {
    const DockerEngine engine = EngineOf(answers);
    const std::string refusal =
        RefusalBy([&] { engine.RemoveContainer("c", Deadline::In(milliseconds(200))); });
    EXPECT_NE(refusal.find("(HTTP 409): already in progress"), std::string::npos) << refusal;
  }
}

TEST_F(DockerEngineTest, AnApplicationsArchiveIsImportedUnderItsIdUnlessItIsThere) {
  const TemporaryDir dir;
  GuestApplication application;
  application.id = "0123456789abcdef";
  application.archive = dir.path() / "archive";
  const DockerEngine engine = EngineOf(
      {HttpAnswer(404, "{}"), HttpAnswer(200, "{}"), HttpAnswer(200, "{}"), HttpAnswer(404, "{}")});
  std::ofstream(application.archive) << "the archive";
  EXPECT_EQ(EnsureApplicationImage(engine, application, Soon()),
            "hvbench-application:0123456789ab");
  EXPECT_EQ(daemon_->requests().at(1).body, "the archive");
  EXPECT_NE(daemon_->lines().at(1).find("repo=hvbench-application&tag=0123456789ab&"),
            std::string::npos);
  std::filesystem::remove(application.archive);
  EXPECT_NO_THROW(EnsureApplicationImage(engine, application, Soon())) << "it is there";
  const std::string refusal =
      RefusalBy([&] { EnsureApplicationImage(engine, application, Soon()); });
  EXPECT_NE(refusal.find(application.archive.string()), std::string::npos) << refusal;
}

TEST_F(DockerEngineTest, TheImageSaysWhereTheAgentIs) {
  const DockerEngine engine = EngineOf({HttpAnswer(
      200, R"({"GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/l/diff"}}})")});
  EXPECT_EQ(AgentOfImage(engine, "i", Soon()), "/l/diff/hvbench-agent");
  for (const char* body :
       {"{}", "null", R"({"GraphDriver": null})", R"({"GraphDriver": {"Name": "overlayfs"}})",
        R"({"GraphDriver": {"Name": "btrfs", "Data": null}})",
        R"({"GraphDriver": {"Name": "x", "Data": {"UpperDir": 7}}})"}) {
    const DockerEngine without = EngineOf({HttpAnswer(200, body)});
    EXPECT_THROW(AgentOfImage(without, "i", Soon()), CannotRunHere) << body;
  }
}

}  // namespace
}  // namespace hvbench

// containerd's client against daemons that refuse, send what is no message, or say nothing.
#include "runtime_launchers/containerd/client.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/environment_variable.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_grpc_server.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;

constexpr int kGrpcUnknown = 2;

class ContainerdClientTest : public ::testing::Test {
 protected:
  // The daemon of this test from now on.
  ContainerdClient ClientOf(std::vector<FakeGrpcAnswer> answers) {
    daemon_.reset();
    daemon_ = std::make_unique<FakeGrpcServer>(std::move(answers));
    address_.reset();
    address_ = std::make_unique<EnvironmentVariable>("CONTAINERD_ADDRESS", daemon_->path());
    return ContainerdClient(/*interruptible=*/false);
  }

  std::unique_ptr<FakeGrpcServer> daemon_;
  std::unique_ptr<EnvironmentVariable> address_;
};

// The text of a field, of messages inside of messages: {1, 4, 1}.
std::vector<std::string> FieldsAt(const std::string& message, std::vector<std::uint32_t> path) {
  std::vector<std::string> found;
  const std::uint32_t first = path.front();
  path.erase(path.begin());
  protozero::pbf_reader reader(message);
  while (reader.next()) {
    if (reader.tag() != first ||
        !reader.has_wire_type(protozero::pbf_wire_type::length_delimited)) {
      reader.skip();
      continue;
    }
    const std::string text = reader.get_string();
    const auto inner = path.empty() ? std::vector<std::string>{text} : FieldsAt(text, path);
    found.insert(found.end(), inner.begin(), inner.end());
  }
  return found;
}

std::string FieldAt(const std::string& message, std::vector<std::uint32_t> path) {
  const auto found = FieldsAt(message, std::move(path));
  return found.size() == 1 ? found[0] : "(" + std::to_string(found.size()) + " fields)";
}

std::string NumberMessage(std::uint32_t field, std::uint64_t value) {
  std::string bytes;
  protozero::pbf_writer(bytes).add_uint64(field, value);
  return bytes;
}

std::string TextMessage(std::uint32_t field, const std::string& text) {
  std::string bytes;
  protozero::pbf_writer(bytes).add_string(field, text);
  return bytes;
}

template <typename Call>
std::string ContainerdRefusal(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(ContainerdClientTest, AContainerIsDescribedWithItsRuntimeAndItsSpec) {
  const ContainerdClient client = ClientOf({GrpcReplyOf("")});
  client.CreateContainer({"hvbench-7-1", "io.containerd.runc.v2", RuncShimOptions("/usr/bin/crun"),
                          R"({"ociVersion": "1.0.2"})"},
                         Soon());
  const FakeGrpcCall call = daemon_->calls().at(0);
  EXPECT_EQ(call.method(), "/containerd.services.containers.v1.Containers/Create");
  EXPECT_EQ(call.Header("containerd-namespace"), "hvbench");
  // Fields of containerd's containers.proto, any.proto and runc's options.
  const std::string sent = call.message();
  EXPECT_EQ(FieldAt(sent, {1, 1}), "hvbench-7-1");
  EXPECT_EQ(FieldAt(sent, {1, 4, 1}), "io.containerd.runc.v2");
  EXPECT_EQ(FieldAt(sent, {1, 4, 2, 1}), "containerd.runc.v1.Options");
  EXPECT_EQ(FieldAt(sent, {1, 4, 2, 2, 6}), "/usr/bin/crun");
  EXPECT_EQ(FieldAt(sent, {1, 5, 1}), "types.containerd.io/opencontainers/runtime-spec/1/Spec");
  EXPECT_EQ(FieldAt(sent, {1, 5, 2}), R"({"ociVersion": "1.0.2"})");
}

TEST_F(ContainerdClientTest, ARuntimeWithoutOptionsHasNone) {
  const ContainerdClient client = ClientOf({GrpcReplyOf(""), GrpcReplyOf("")});
  client.CreateContainer({"c", "/opt/shim", {}, "{}"}, Soon());
  EXPECT_TRUE(FieldsAt(daemon_->calls().at(0).message(), {1, 4, 2}).empty());
  client.CreateContainer({"c", "/opt/shim", ConfigFileOptions("/etc/kata.toml", ""), "{}"}, Soon());
  const std::string sent = daemon_->calls().at(1).message();
  EXPECT_EQ(FieldAt(sent, {1, 4, 2, 1}), "runtimeoptions.v1.Options");
  EXPECT_EQ(FieldAt(sent, {1, 4, 2, 2, 2}), "/etc/kata.toml");
}

TEST_F(ContainerdClientTest, ATaskHasItsStreamsAndItsRoot) {
  const ContainerdClient client =
      ClientOf({GrpcReplyOf(TextMessage(1, "c") + NumberMessage(2, 4711)),
                GrpcReplyOf(NumberMessage(2, 4712))});
  EXPECT_EQ(client.CreateTask("c", {"/g/stdin", "/g/stdout", "/g/console"}, "/g/root", Soon()),
            4711);
  const std::string sent = daemon_->calls().at(0).message();
  EXPECT_EQ(FieldAt(sent, {1}), "c");
  EXPECT_EQ(FieldAt(sent, {3, 1}), "bind");
  EXPECT_EQ(FieldAt(sent, {3, 2}), "/g/root");
  EXPECT_EQ(FieldsAt(sent, {3, 4}), (std::vector<std::string>{"rbind", "rw"}));
  EXPECT_EQ(FieldAt(sent, {4}), "/g/stdin");
  EXPECT_EQ(FieldAt(sent, {5}), "/g/stdout");
  EXPECT_EQ(FieldAt(sent, {6}), "/g/console");
  EXPECT_EQ(client.CreateTask("c", {"", "/g/console", "/g/console"}, "", Soon()), 4712);
  EXPECT_TRUE(FieldsAt(daemon_->calls().at(1).message(), {3}).empty());
  EXPECT_TRUE(FieldsAt(daemon_->calls().at(1).message(), {4}).empty());
}

TEST_F(ContainerdClientTest, EveryRefusalHasContainerdsMessage) {
  const auto call = [](const ContainerdClient& client, int which) {
    switch (which) {
      case 0:
        client.Version(Soon());
        break;
      case 1:
        client.CreateContainer({"c", "r", {}, "{}"}, Soon());
        break;
      case 2:
        client.CreateTask("c", {}, "", Soon());
        break;
      case 3:
        client.StartTask("c", Soon());
        break;
      case 4:
        client.WaitTask("c", Soon());
        break;
      case 5:
        client.HasContainer("c", Soon());
        break;
      case 6:
        client.RemoveNamespace(Soon());
        break;
      default:
        client.HasNamespace(Soon());
    }
  };
  for (int which = 0; which < 8; ++which) {
    const ContainerdClient client = ClientOf({GrpcRefusal(kGrpcUnknown, "out of cheese")});
    const std::string refusal = ContainerdRefusal([&] { call(client, which); });
    EXPECT_TRUE(refusal.starts_with("containerd cannot ")) << which << refusal;
    EXPECT_TRUE(refusal.ends_with(": out of cheese")) << which << refusal;
  }
}

TEST_F(ContainerdClientTest, AStatusThatIsNotSentIsZero) {
  const ContainerdClient client =
      ClientOf({GrpcReplyOf(""), GrpcReplyOf(NumberMessage(1, 137)),
                GrpcReplyOf(TextMessage(2, "a time") + NumberMessage(1, 3))});
  EXPECT_EQ(client.WaitTask("c", Soon()), 0);
  EXPECT_EQ(client.WaitTask("c", Soon()), 137);
  EXPECT_EQ(client.WaitTask("c", Soon()), 3);
}

// Of a reply that is cut off, or is another message, nothing is taken.
TEST_F(ContainerdClientTest, WhatIsNoMessageIsAnError) {
  for (const std::string& body : {std::string("\xff"), std::string("\x08\x80", 2),
                                  std::string("\x0a\x7f") + "short", std::string("\x0f\x01", 2)}) {
    const ContainerdClient client =
        ClientOf({GrpcReplyOf(body), GrpcReplyOf(body), GrpcReplyOf(body), GrpcReplyOf(body)});
    EXPECT_THROW(client.Version(Soon()), Error) << ::testing::PrintToString(body);
    EXPECT_THROW(client.CreateTask("c", {}, "", Soon()), Error) << ::testing::PrintToString(body);
    EXPECT_THROW(client.WaitTask("c", Soon()), Error) << ::testing::PrintToString(body);
    EXPECT_THROW(client.HasNamespace(Soon()), Error) << ::testing::PrintToString(body);
  }
}

TEST_F(ContainerdClientTest, AFieldOfAnotherTypeIsAsIfItWereNotThere) {
  const ContainerdClient client =
      ClientOf({GrpcReplyOf(NumberMessage(1, 17)), GrpcReplyOf(TextMessage(2, "4711")),
                GrpcReplyOf(TextMessage(1, "137")), GrpcReplyOf(NumberMessage(1, 7)),
                GrpcReplyOf(TextMessage(1, NumberMessage(1, 7)))});
  EXPECT_EQ(client.Version(Soon()), "");
  EXPECT_EQ(client.CreateTask("c", {}, "", Soon()), 0);
  EXPECT_EQ(client.WaitTask("c", Soon()), 0);
  EXPECT_FALSE(client.HasNamespace(Soon()));
  EXPECT_FALSE(client.HasNamespace(Soon()));
}

TEST_F(ContainerdClientTest, SilenceEndsAtTheDeadlineAndAnAbsentDaemonAtOnce) {
  const ContainerdClient client = ClientOf({GrpcSilence()});
  EXPECT_THROW(client.WaitTask("c", Deadline::In(milliseconds(50))), TimedOut);
  try {
    client.WaitTask("c", Soon());  // the only answer was the silence
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ECONNREFUSED);
  }
}

TEST_F(ContainerdClientTest, ATaskIsKilledThenDeletedUntilItsShimHasSeenItsEnd) {
  const ContainerdClient client = ClientOf(
      {GrpcRefusal(kGrpcNotFound, "ended"), GrpcRefusal(kGrpcFailedPrecondition, "running"),
       GrpcRefusal(kGrpcUnknown, "ttrpc: closed"), GrpcReplyOf(""), GrpcReplyOf("")});
  client.Remove("c", Soon());
  EXPECT_EQ(daemon_->methods(),
            (std::vector<std::string>{"Kill", "Delete", "Delete", "Delete", "Delete"}));
  const auto calls = daemon_->calls();
  EXPECT_EQ(calls[3].method(), "/containerd.services.tasks.v1.Tasks/Delete");
  EXPECT_EQ(calls[4].method(), "/containerd.services.containers.v1.Containers/Delete");
  EXPECT_EQ(FieldAt(calls[4].message(), {1}), "c");
}

TEST_F(ContainerdClientTest, WhatIsNotThereIsRemovedAlready) {
  const FakeGrpcAnswer none = GrpcRefusal(kGrpcNotFound, "not found");
  const ContainerdClient client = ClientOf({none, none, none, none, none, GrpcReplyOf("")});
  EXPECT_NO_THROW(client.Remove("c", Soon()));
  EXPECT_FALSE(client.HasContainer("c", Soon()));
  EXPECT_NO_THROW(client.RemoveNamespace(Soon()));
  EXPECT_TRUE(client.HasContainer("c", Soon()));
}

// The message of the daemon says what is in the way; that a wait ended would not.
TEST_F(ContainerdClientTest, ATaskThatStaysHasContainerdsReasonAtTheDeadline) {
  const FakeGrpcAnswer stays = GrpcRefusal(kGrpcFailedPrecondition, "must be stopped");
  for (const std::vector<FakeGrpcAnswer>& answers :
       {std::vector<FakeGrpcAnswer>(1000, stays), {GrpcReplyOf(""), stays, stays, GrpcSilence()}}) {
    const ContainerdClient client = ClientOf(answers);
    const std::string refusal =
        ContainerdRefusal([&] { client.Remove("c", Deadline::In(milliseconds(200))); });
    EXPECT_EQ(refusal, "containerd cannot delete the task: must be stopped");
  }
}

TEST_F(ContainerdClientTest, ANamespaceThatOthersUseIsKept) {
  const ContainerdClient client =
      ClientOf({GrpcRefusal(kGrpcFailedPrecondition, "not empty"),
                GrpcReplyOf(TextMessage(1, TextMessage(1, "moby")) +
                            TextMessage(1, TextMessage(1, "hvbench"))),
                GrpcReplyOf(TextMessage(1, TextMessage(1, "hvbench2")))});
  EXPECT_NO_THROW(client.RemoveNamespace(Soon()));
  EXPECT_TRUE(client.HasNamespace(Soon()));
  EXPECT_FALSE(client.HasNamespace(Soon()));
}

TEST_F(ContainerdClientTest, ARemovalIsTriedAgainOnceTheShimHasEnded) {
  const FakeGrpcAnswer stands_still = GrpcSilence();
  ClientOf({stands_still, GrpcReplyOf(""), GrpcReplyOf(""), GrpcReplyOf("")});
  int asked = 0;
  const auto find_shim = [&]() -> std::optional<Process> {
    ++asked;
    Process shim = Process::Spawn({"/bin/true"}, {});
    shim.Wait(Soon());
    return shim;
  };
  // Its deadline ends the first attempt, whose silence the second one does not meet.
  EXPECT_THROW(RemoveContainer("c", find_shim, Deadline::In(milliseconds(50))), Error);
  EXPECT_EQ(asked, 1);
  ClientOf({GrpcRefusal(kGrpcUnknown, "x"),
            {"no gRPC", "", {}},
            GrpcReplyOf(""),
            GrpcReplyOf(""),
            GrpcReplyOf("")});
  EXPECT_NO_THROW(RemoveContainer("c", find_shim, Soon()));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(daemon_->methods(), (std::vector<std::string>{"Kill", "Kill", "Delete", "Delete"}));
}

// The shim can be ended without containerd.
TEST_F(ContainerdClientTest, WithoutContainerdTheShimIsLookedForAllTheSame) {
  const EnvironmentVariable address("CONTAINERD_ADDRESS", "/nonexistent/containerd.sock");
  bool asked = false;
  const auto find_shim = [&]() -> std::optional<Process> {
    asked = true;
    return std::nullopt;
  };
  EXPECT_THROW(RemoveContainer("c", find_shim, Soon()), SystemError);
  EXPECT_TRUE(asked);
}

}  // namespace
}  // namespace hvbench

#include "runtime_launchers/containerd/grpc_unix.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "runtime_launchers/support/error.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_grpc_server.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

GrpcReply CallTo(const FakeGrpcServer& server, const std::string& request = "",
                 Deadline deadline = Soon()) {
  return GrpcUnixClient(server.path(), {{"containerd-namespace", "ours"}}, false)
      .Call("/a.Service/Method", request, deadline);
}

TEST(GrpcUnixTest, SendsTheMessageAndReturnsTheReply) {
  FakeGrpcServer server({GrpcReplyOf("reply")});
  const GrpcReply reply = CallTo(server, "request");
  EXPECT_EQ(reply.status, kGrpcOk);
  EXPECT_EQ(reply.body, "reply");
  EXPECT_EQ(server.calls().at(0).body, GrpcFramed("request"));
  const FakeGrpcCall call = server.calls().at(0);
  for (const auto& [name, value] : FakeGrpcFields{{":path", "/a.Service/Method"},
                                                  {"content-type", "application/grpc"},
                                                  {"te", "trailers"},
                                                  {"containerd-namespace", "ours"}}) {
    EXPECT_EQ(call.Header(name), value);
  }
}

// More than one HTTP/2 frame, and more than the windows that a connection begins with.
TEST(GrpcUnixTest, LargeMessagesArriveWhole) {
  const std::string large(300'000, 'x');
  FakeGrpcServer server({GrpcReplyOf(large)});
  EXPECT_EQ(CallTo(server, large).body, large);
  EXPECT_EQ(server.calls().at(0).body, GrpcFramed(large));
}

TEST(GrpcUnixTest, AStatusIsAResult) {
  FakeGrpcServer server({GrpcRefusal(kGrpcNotFound, "no task%3A \"x\" 100%")});
  const GrpcReply reply = CallTo(server);
  EXPECT_EQ(reply.status, kGrpcNotFound);
  EXPECT_EQ(reply.message, "no task: \"x\" 100%");
}

TEST(GrpcUnixTest, AnEmptyReplyIsAnEmptyMessage) {
  FakeGrpcServer server({GrpcReplyOf("")});
  EXPECT_EQ(CallTo(server).body, "");
}

TEST(GrpcUnixTest, NobodyListens) {
  const TemporaryDir dir;
  try {
    GrpcUnixClient(dir.path() / "none", {}, false).Call("/a.Service/Method", "", Soon());
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ENOENT);
  }
}

TEST(GrpcUnixTest, SilenceEndsWithTheDeadline) {
  FakeGrpcServer server({GrpcSilence()});
  EXPECT_THROW(CallTo(server, "", Deadline::In(std::chrono::milliseconds(100))), TimedOut);
}

TEST(GrpcUnixTest, WhatIsNoGrpcIsAnError) {
  const std::string huge(5'000'000, 'x');
  for (const FakeGrpcAnswer& answer :
       {FakeGrpcAnswer{"HTTP/1.1 400 Bad Request\r\n\r\n", "", {}},
        FakeGrpcAnswer{"", GrpcFramed("x"), {{"other", "0"}}},
        FakeGrpcAnswer{"", GrpcFramed("x", '\1'), {{"grpc-status", "0"}}},
        FakeGrpcAnswer{"", GrpcFramed("xy").substr(0, 6), {{"grpc-status", "0"}}},
        FakeGrpcAnswer{"", "\1", {{"grpc-status", "0"}}},
        FakeGrpcAnswer{"", GrpcFramed(huge), {{"grpc-status", "0"}}}}) {
    FakeGrpcServer server({answer});
    EXPECT_THROW(CallTo(server), Error) << answer.raw;
  }
}

}  // namespace
}  // namespace hvbench

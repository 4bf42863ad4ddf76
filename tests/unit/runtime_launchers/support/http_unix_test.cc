#include "runtime_launchers/support/http_unix.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "runtime_launchers/support/error.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/fake_http_server.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;

std::string ReadAll(int fd) {
  std::string text;
  char byte = 0;
  while (true) {
    const ssize_t n = read(fd, &byte, 1);
    if (n == 1)
      text += byte;
    else if (n == 0 || errno != EAGAIN)
      return text;
  }
}

TEST(HttpUnixClient, SendsARequestAndReadsItsAnswer) {
  const FakeHttpServer server({"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello"});
  const HttpUnixClient client(server.path(), false);
  const HttpResponse response =
      client.Send({HttpMethod::kPost, "/containers?name=a%20b", "{}"}, Soon());
  EXPECT_EQ(response.status, 201);
  EXPECT_TRUE(response.success());
  EXPECT_EQ(response.body, "hello");
  const FakeHttpRequest sent = server.requests().at(0);
  const std::string& request = sent.head;
  EXPECT_EQ(sent.body, "{}");
  EXPECT_TRUE(request.starts_with("POST /containers?name=a%20b HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Content-Length: 2\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("Content-Type: application/json\r\n"), std::string::npos) << request;
}

TEST(HttpUnixClient, ReadsChunkedAndUnsizedBodies) {
  const FakeHttpServer server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
       "HTTP/1.1 404 Not Found\r\n\r\nuntil the end"});
  const HttpUnixClient client(server.path(), false);
  EXPECT_EQ(client.Send({HttpMethod::kGet, "/", ""}, Soon()).body, "abcde");
  const HttpResponse response = client.Send({HttpMethod::kGet, "/", ""}, Soon());
  EXPECT_FALSE(response.success());
  EXPECT_EQ(response.body, "until the end");
}

TEST(HttpUnixClient, NobodyListeningIsASystemError) {
  const HttpUnixClient client("/nonexistent/socket", false);
  try {
    client.Send({HttpMethod::kGet, "/", ""}, Soon());
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("/nonexistent/socket"), std::string::npos);
  }
}

TEST(HttpUnixClient, SilenceEndsAtTheDeadline) {
  const FakeHttpServer server({"", ""});
  const HttpUnixClient client(server.path(), false);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(client.Send({HttpMethod::kGet, "/", ""}, Deadline::In(milliseconds(100))), TimedOut);
  UniqueFd stream;
  EXPECT_THROW(client.Upgrade("/", Deadline::In(milliseconds(100)), stream), TimedOut);
  EXPECT_FALSE(stream);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(HttpUnixClient, WhatIsNoHttpIsAnError) {
  const FakeHttpServer server({"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
                               "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                               "not at all", std::string(100'000, 'h')});
  const HttpUnixClient client(server.path(), false);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(client.Send({HttpMethod::kGet, "/", ""}, Soon()), Error) << i;
  }
  UniqueFd stream;
  EXPECT_THROW(client.Upgrade("/", Soon(), stream), Error);
  EXPECT_THROW(client.Upgrade("/", Soon(), stream), Error);
  EXPECT_FALSE(stream);
}

TEST(HttpUnixClient, AnUpgradedStreamLosesNoByte) {
  const FakeHttpServer server(
      {"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01raw "
       "bytes\r\n\r\n"});
  const HttpUnixClient client(server.path(), false);
  UniqueFd stream;
  const HttpResponse response = client.Upgrade("/attach", Soon(), stream);
  EXPECT_EQ(response.status, 101);
  ASSERT_TRUE(stream);
  EXPECT_EQ(ReadAll(stream.get()), "\x01raw bytes\r\n\r\n");
  EXPECT_NE(server.requests().at(0).head.find("Upgrade: tcp\r\n"), std::string::npos);
}

TEST(HttpUnixClient, ARefusedUpgradeSaysWhy) {
  const FakeHttpServer server(
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\n\r\n{\"message\":\"why\"}"});
  const HttpUnixClient client(server.path(), false);
  UniqueFd stream;
  const HttpResponse response = client.Upgrade("/attach", Soon(), stream);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"message":"why"})");
  EXPECT_FALSE(stream);
}

TEST(PercentEncode, LeavesNothingThatCouldChangeTheTarget) {
  EXPECT_EQ(PercentEncode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(PercentEncode("a b&c/d?\xff"), "a%20b%26c%2Fd%3F%FF");
}

}  // namespace
}  // namespace hvbench

#include "benchmarks/load/support/http_load.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "fixtures/agent/kernel.h"
#include "tests/unit/benchmarks/load/scripted_server.h"

namespace hvbench::agent::kernels {
namespace {

using testing::HttpResponseWith;
using testing::ScriptedServer;
using namespace std::chrono_literals;

constexpr double kMs = 1e6;  // in nanoseconds

HttpTarget TargetOf(const ScriptedServer& server, const std::string& content = "content") {
  HttpTarget target;
  target.server = server.address();
  target.path = "/file";
  target.content = content;
  return target;
}

TEST(HttpLoad, SendsTheRequestsOfABatchOverItsConnections) {
  ScriptedServer server([](int) { return HttpResponseWith("content"); });
  const HttpTarget target = TargetOf(server);
  const auto load = HttpLoad::Make(target, 3);
  for (const std::uint64_t requests : {1u, 2u, 100u, 7u}) {
    load->Run(requests, 0);
    EXPECT_EQ(load->outcome().right, requests);
    EXPECT_EQ(load->outcome().wrong, 0u);
    EXPECT_EQ(load->outcome().lost_connections, 0u);
    EXPECT_EQ(load->outcome().latencies.count(), requests);
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpLoad, WithoutKeepAliveEachRequestHasAConnectionOfItsOwn) {
  ScriptedServer server([](int) { return HttpResponseWith("content"); }, /*keeps_alive=*/false);
  HttpTarget target = TargetOf(server);
  target.keep_alive = false;
  const auto load = HttpLoad::Make(target, 4);
  load->Run(20, 0);
  EXPECT_EQ(load->outcome().right, 20u);
  EXPECT_EQ(load->outcome().lost_connections, 0u);
  EXPECT_EQ(server.connections(), 20);
}

TEST(HttpLoad, CountsWrongResponses) {
  ScriptedServer server(
      [](int request) { return HttpResponseWith(request % 4 == 0 ? "conten" : "content"); });
  const HttpTarget target = TargetOf(server);
  const auto load = HttpLoad::Make(target, 1);
  load->Run(40, 0);
  EXPECT_EQ(load->outcome().wrong, 10u);
  EXPECT_EQ(load->outcome().right, 30u);
}

TEST(HttpLoad, SendsARequestAgainWhoseConnectionIsLost) {
  ScriptedServer server(
      [](int request) { return request == 5 ? "" : HttpResponseWith("content"); });
  const HttpTarget target = TargetOf(server);
  const auto load = HttpLoad::Make(target, 2);
  load->Run(20, 0);
  EXPECT_EQ(load->outcome().right, 20u);
  EXPECT_EQ(load->outcome().lost_connections, 1u);
}

TEST(HttpLoad, GivesUpOnAServerThatIsGone) {
  HttpTarget target;
  {
    const ScriptedServer server([](int) { return std::string(); });
    target = TargetOf(server);
    const auto load = HttpLoad::Make(target, 1);
    EXPECT_THROW(load->Run(1, 0), KernelFailed) << "it closes each connection";
  }
  const auto load = HttpLoad::Make(target, 1);
  EXPECT_THROW(load->Run(1, 0), KernelFailed) << "it refuses connections";
}

// A server that answers at once but for one stall of 200 ms: at 1000 requests a second, 200 of 1000
// fall into it and wait for 100 ms on average, whoever was made to wait with them.
class AStall : public ::testing::Test {
 protected:
  static constexpr auto kStall = 200ms;
  static constexpr std::uint64_t kRequests = 1000;

  ScriptedServer server_{[](int request) {
    if (request == 100) std::this_thread::sleep_for(kStall);
    return HttpResponseWith("content");
  }};
  HttpTarget target_ = TargetOf(server_);
};

TEST_F(AStall, IsChargedToAllRequestsThatWereDueInIt) {
  const auto load = HttpLoad::Make(target_, 2);
  const auto begin = std::chrono::steady_clock::now();
  load->Run(kRequests, 1'000'000);
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(elapsed, 999ms) << "the requests were sent before they were due";
  const LatencyHistogram& latencies = load->outcome().latencies;
  EXPECT_EQ(latencies.count(), kRequests);
  // Nearly a fifth is late, by up to the stall: the 85th percentile lies a quarter into it.
  EXPECT_GE(latencies.PercentileNs(0.85), 30 * kMs);
  EXPECT_GE(latencies.PercentileNs(0.99), 150 * kMs);
}

TEST_F(AStall, IsChargedOnceAConnectionInAClosedLoop) {
  const auto load = HttpLoad::Make(target_, 2);
  load->Run(kRequests, 0);
  const LatencyHistogram& latencies = load->outcome().latencies;
  EXPECT_GE(latencies.PercentileNs(0.9991), 190 * kMs);  // of the two connections
  EXPECT_LT(latencies.PercentileNs(0.85), 20 * kMs);
}

}  // namespace
}  // namespace hvbench::agent::kernels

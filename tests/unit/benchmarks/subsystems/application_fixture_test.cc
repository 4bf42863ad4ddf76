// What an application's server and its load are asked for.
#include "benchmarks/subsystems/application_fixture.h"

#include <gtest/gtest.h>

#include "benchmarks/subsystems/subsystem.h"
#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::kSmoke;
using testing::Measurement;

TEST(ServerRequest, HasTheServersKeysWithTheValuesOfTheLoadAndTheGuestsCpus) {
  Measurement m;
  m.Add("alpha");
  m.settings.pool = &m.pool();
  m.settings.seed = 17;
  protocol::KernelDescription server;
  server.name = "web/daemon";
  server.parameter_sets = {{kSmoke, {{"log", "0"}, {"size", "1"}, {"workers", "99"}}}};
  const auto request =
      ServerRequest(server, {{"size", "4"}, {"rate", "8"}, {"workers", "98"}}, m.settings);
  const std::string vcpus = std::to_string(m.pool().shape().vcpus);
  EXPECT_EQ(request.kernel, "web/daemon");
  EXPECT_EQ(request.params, (protocol::Params{{"log", "0"}, {"size", "4"}, {"workers", vcpus}}));
  EXPECT_EQ(request.iterations, 1u);
  EXPECT_EQ(request.seed, 17u);
  server.parameter_sets.front().params = {{"size", "1"}};
  EXPECT_EQ(ServerRequest(server, {}, m.settings).params, (protocol::Params{{"size", "1"}}));
}

TEST(FixtureOf, AnyKernelThatHasAServerIsLoad) {
  Measurement m;
  testing::FakeRuntime& runtime = m.Add("alpha");
  m.make_fixture = FixtureOf("web");
  m.settings.netlab_problem = "network namespaces need root";
  m.settings.kernels["test/counts"].server = "test/server";
  const auto rows = m.Run({testing::CountsCell(1, "alpha")}, {});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].failure, "SKIPPED: network namespaces need root");
  EXPECT_EQ(runtime.stats().launches, 0);
}

}  // namespace
}  // namespace hvbench

// The network's fixture, where there is no network.
#include <gtest/gtest.h>

#include "benchmarks/subsystems/subsystem.h"
#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using testing::CountsCell;
using testing::FakeRuntime;
using testing::Measurement;

TEST(NetworkFixture, WithoutANetworkCellsOfThePeerAreSkippedWithTheReason) {
  Measurement m;
  FakeRuntime& runtime = m.Add("alpha");
  m.make_fixture = FixtureOf("network");
  m.settings.kernels["test/counts"].needs = protocol::kPeer;
  m.settings.netlab_problem = "network namespaces need root";
  const auto rows = m.Run({CountsCell(1, "alpha")}, {"--benchmark_repetitions=2"});
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) EXPECT_EQ(row.failure, "SKIPPED: network namespaces need root");
  EXPECT_EQ(runtime.stats().launches, 0) << "no guest is needed for that";
}

TEST(NetworkFixture, LoopbackNeedsNoNetwork) {
  Measurement m;
  m.Add("alpha");
  m.make_fixture = FixtureOf("network");
  m.settings.kernels["test/counts"];
  m.settings.kernels["test/another"].needs = protocol::kPeer;
  const auto rows = m.Run({CountsCell(1, "alpha")}, {});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].failure, "");
}

}  // namespace
}  // namespace hvbench

// The histogram's percentiles against those of the sorted values.
#include "benchmarks/kernels/support/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {
namespace {

// Half a bin of 1 %, and a little for rounding.
constexpr double kRelativeError = 0.0051;

std::map<std::string, double> CountersOf(const LatencyHistogram& histogram) {
  std::map<std::string, double> values;
  for (const protocol::Counter& counter : histogram.Counters()) {
    values[counter.name] = counter.value;
  }
  return values;
}

// From 100 ns to 10 s, as many in each decade.
std::vector<std::uint64_t> SampleTimes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint64_t> times(count);
  for (std::uint64_t& time : times) {
    const double exponent = 2 + 8 * static_cast<double>(random.Below(1'000'000)) / 1e6;
    time = static_cast<std::uint64_t>(std::pow(10, exponent));
  }
  return times;
}

TEST(LatencyHistogram, FindsPercentilesOfKnownTimes) {
  std::vector<std::uint64_t> times = SampleTimes(20'001, 1);
  LatencyHistogram histogram;
  for (const std::uint64_t time : times) histogram.Record(time);
  std::sort(times.begin(), times.end());
  for (const double fraction : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20'001.0)) - 1;
    const auto expected = static_cast<double>(times[rank]);
    EXPECT_NEAR(histogram.PercentileNs(fraction), expected, kRelativeError * expected) << fraction;
  }
  EXPECT_EQ(CountersOf(histogram)["max_ns"], static_cast<double>(times.back()));
}

TEST(LatencyHistogram, MergingIsAsRecordingAllInOne) {
  LatencyHistogram one;
  LatencyHistogram parts[3];
  const std::vector<std::uint64_t> times = SampleTimes(3'000, 2);
  for (std::size_t i = 0; i < times.size(); ++i) {
    one.Record(times[i]);
    parts[i * i % 3].Record(times[i]);
  }
  LatencyHistogram merged;
  for (const LatencyHistogram& part : parts) merged.Merge(part);
  EXPECT_EQ(merged.count(), times.size());
  EXPECT_EQ(merged.MeanNs(), one.MeanNs());
  EXPECT_EQ(CountersOf(merged), CountersOf(one));
}

TEST(LatencyHistogram, IsNoMeanOfPercentiles) {
  LatencyHistogram fast;
  LatencyHistogram slow;
  for (int i = 0; i < 999; ++i) fast.Record(1'000);
  slow.Record(1'000'000);
  fast.Merge(slow);
  EXPECT_NEAR(fast.PercentileNs(0.99), 1e3, kRelativeError * 1e3);
  EXPECT_NEAR(fast.PercentileNs(1.0), 1e6, kRelativeError * 1e6);
  EXPECT_DOUBLE_EQ(fast.MeanNs(), (999 * 1e3 + 1e6) / 1000) << "exact, whatever the bins";
}

TEST(LatencyHistogram, KeepsWhatIsBeyondItsRange) {
  LatencyHistogram histogram;
  histogram.Record(0);
  EXPECT_EQ(histogram.PercentileNs(0.5), 0);  // never above the maximum
  histogram.Record(400'000'000'000);
  EXPECT_EQ(histogram.PercentileNs(0.5), 100);
  EXPECT_EQ(CountersOf(histogram)["max_ns"], 4e11);
  EXPECT_GE(histogram.PercentileNs(1.0), 1e11);
}

TEST(LatencyHistogram, IsEmptyAfterAReset) {
  LatencyHistogram histogram;
  histogram.Record(5'000);
  histogram.Reset();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.MeanNs(), 0);
  for (const auto& [name, value] : CountersOf(histogram)) EXPECT_EQ(value, 0) << name;
}

}  // namespace
}  // namespace hvbench::agent::kernels

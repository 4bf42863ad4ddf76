#include "benchmarks/environment_flags.h"

#include <gtest/gtest.h>

#include <map>

namespace hvbench {
namespace {

using Words = std::vector<std::string>;

Words Flags(const std::map<std::string, std::string>& environment, const Words& arguments = {}) {
  return FlagsOfEnvironment(arguments, [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(EnvironmentFlags, NameEveryFlag) {
  EXPECT_EQ(Flags({}), Words());
  EXPECT_EQ(Flags({{"BENCHMARK_HOME", "/opt"}, {"benchmark_filter", "a"}, {"V", "9"}}), Words());
  for (const auto& [variable, flag] : std::map<std::string, std::string>{
           {"BENCHMARK_LIST_TESTS", "--benchmark_list_tests=1"},
           {"BENCHMARK_FILTER", "--benchmark_filter=1"},
           {"BENCHMARK_MIN_TIME", "--benchmark_min_time=1"},
           {"BENCHMARK_MIN_WARMUP_TIME", "--benchmark_min_warmup_time=1"},
           {"BENCHMARK_REPETITIONS", "--benchmark_repetitions=1"},
           {"BENCHMARK_DRY_RUN", "--benchmark_dry_run=1"},
           {"BENCHMARK_ENABLE_RANDOM_INTERLEAVING", "--benchmark_enable_random_interleaving=1"},
           {"BENCHMARK_REPORT_AGGREGATES_ONLY", "--benchmark_report_aggregates_only=1"},
           {"BENCHMARK_DISPLAY_AGGREGATES_ONLY", "--benchmark_display_aggregates_only=1"},
           {"BENCHMARK_FORMAT", "--benchmark_format=1"},
           {"BENCHMARK_OUT_FORMAT", "--benchmark_out_format=1"},
           {"BENCHMARK_OUT", "--benchmark_out=1"},
           {"BENCHMARK_COLOR", "--benchmark_color=1"},
           {"BENCHMARK_COUNTERS_TABULAR", "--benchmark_counters_tabular=1"},
           {"BENCHMARK_PERF_COUNTERS", "--benchmark_perf_counters=1"},
           {"BENCHMARK_CONTEXT", "--benchmark_context=1"},
           {"BENCHMARK_TIME_UNIT", "--benchmark_time_unit=1"}}) {
    EXPECT_EQ(Flags({{variable, "1"}}), Words{flag});
  }
  EXPECT_EQ(Flags({{"BENCHMARK_OUT", ""}}), Words{"--benchmark_out="});
}

TEST(EnvironmentFlags, YieldToFlags) {
  const std::map<std::string, std::string> environment = {{"BENCHMARK_OUT", "a.json"},
                                                          {"BENCHMARK_LIST_TESTS", "1"}};
  EXPECT_EQ(Flags(environment, {"--benchmark_out=b.json"}), Words{"--benchmark_list_tests=1"});
  EXPECT_EQ(Flags(environment, {"--benchmark_list_tests=false"}), Words{"--benchmark_out=a.json"});
  EXPECT_EQ(Flags(environment, {"--benchmark_out_format=csv", "doctor"}).size(), 2u);
  // Google Benchmark refuses a key that is there twice.
  EXPECT_EQ(Flags({{"BENCHMARK_CONTEXT", "a=1,b=2"}}, {"--benchmark_context=b=3,c=4"}),
            Words{"--benchmark_context=a=1"});
  EXPECT_EQ(Flags({{"BENCHMARK_CONTEXT", "b=2"}}, {"--benchmark_context=c=4,b=3"}), Words());
}

}  // namespace
}  // namespace hvbench

#include "benchmarks/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "benchmarks/exit_status.h"
#include "tests/support/environment_variable.h"

namespace hvbench {
namespace {

using namespace std::chrono_literals;

ParsedOptions Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "hvbench");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseOptions(static_cast<int>(argv.size()), argv.data());
}

Options Accepted(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = Parse(arguments);
  EXPECT_EQ(parsed.exit_status, -1) << arguments.back();
  return parsed.options;
}

bool Contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

TEST(Options, HaveDefaults) {
  const Options options = Accepted({});
  EXPECT_EQ(options.command, Command::kRun);
  EXPECT_TRUE(options.runtimes.empty());
  EXPECT_TRUE(options.runtimes_file.empty());
  EXPECT_EQ(options.profile_name, "quick");
  EXPECT_EQ(options.profile, protocol::kQuick);
  EXPECT_EQ(options.cpus, 1);
  EXPECT_EQ(options.memory_mib, 512);
  EXPECT_TRUE(options.work_dir.is_absolute());
  EXPECT_EQ(options.agent.filename(), "hvbench-agent");
  EXPECT_EQ(options.fixed_iterations, 0u);
  EXPECT_EQ(options.filter, "");
  EXPECT_FALSE(options.list_tests);
  EXPECT_EQ(options.format, "console");
  EXPECT_EQ(options.out, "");
  EXPECT_EQ(options.out_format, "json");
}

TEST(Options, MeasureLessAndMoreOftenInTurns) {
  EXPECT_FALSE(Accepted({}).InTurns());
  for (const char* argument : {"--hvbench_compare", "selftest"}) {
    const Options options = Accepted({argument});
    EXPECT_TRUE(options.InTurns()) << argument;
    EXPECT_LT(options.target_time, Accepted({}).target_time) << argument;
    EXPECT_TRUE(Contains(options.benchmark_arguments, "--benchmark_repetitions=1")) << argument;
  }
  EXPECT_EQ(Accepted({"--hvbench_compare", "--benchmark_min_time=0.5"}).target_time, 500ms);
  EXPECT_EQ(Accepted({"--hvbench_compare", "--hvbench_budget_s=7"}).budget, 7s);
}

// Which would empty it at the start of a run, and of each of a comparison's passes.
TEST(Options, KeepTheFileOfResultsFromGoogleBenchmark) {
  for (const char* flag : {"--hvbench_compare", "--hvbench_profile=quick"}) {
    const Options options = Accepted({flag, "--benchmark_out=r.json"});
    EXPECT_EQ(options.out, "r.json");
    EXPECT_FALSE(Contains(options.benchmark_arguments, "--benchmark_out=r.json"));
  }
  EXPECT_EQ(Parse({"selftest", "--benchmark_out=r.json"}).exit_status, kExitUsage);
}

TEST(Options, GoOnWithAFileAlone) {
  EXPECT_TRUE(Accepted({"--hvbench_resume", "--benchmark_out=r.json"}).resume);
  EXPECT_EQ(Parse({"--hvbench_resume"}).exit_status, kExitUsage);
  EXPECT_EQ(Parse({"--hvbench_resume", "--benchmark_out=/dev/null"}).exit_status, kExitUsage);
}

TEST(Options, ReadEveryFlag) {
  const Options options = Accepted(
      {"--hvbench_runtimes=native,runc", "--hvbench_runtimes_file=/r.json",
       "--hvbench_profile=full", "--hvbench_cpus=4", "--hvbench_memory_mib=2048",
       "--hvbench_work_dir=relative", "--hvbench_agent=/a", "--hvbench_timeout_s=9",
       "--benchmark_filter=cpu/.*", "--benchmark_list_tests", "--benchmark_format=json",
       "--benchmark_out=r.json", "--benchmark_out_format=csv", "--benchmark_repetitions=5"});
  EXPECT_EQ(options.runtimes, (std::vector<std::string>{"native", "runc"}));
  EXPECT_EQ(options.runtimes_file, "/r.json");
  EXPECT_EQ(options.profile, protocol::kFull);
  EXPECT_EQ(options.cpus, 4);
  EXPECT_EQ(options.memory_mib, 2048);
  EXPECT_EQ(options.work_dir, std::filesystem::current_path() / "relative");
  EXPECT_EQ(options.agent, "/a");
  EXPECT_EQ(options.timeout, 9s);
  EXPECT_EQ(options.filter, "cpu/.*");
  EXPECT_TRUE(options.list_tests);
  EXPECT_EQ(options.format, "json");
  EXPECT_EQ(options.out, "r.json");
  EXPECT_EQ(options.out_format, "csv");
  for (const char* kept : {"--benchmark_filter=cpu/.*", "--benchmark_list_tests"}) {
    EXPECT_TRUE(Contains(options.benchmark_arguments, kept)) << kept;
  }
}

TEST(Options, ListTestsIsABoolean) {
  for (const char* yes : {"--benchmark_list_tests", "--benchmark_list_tests=true",
                          "--benchmark_list_tests=1", "--benchmark_list_tests=yes"}) {
    EXPECT_TRUE(Accepted({yes}).list_tests) << yes;
  }
  for (const char* no : {"--benchmark_list_tests=false", "--benchmark_list_tests=0"}) {
    EXPECT_FALSE(Accepted({no}).list_tests) << no;
  }
}

// Google Benchmark itself runs one of them at a time.
TEST(Options, RepetitionsAreTheProfilesUnlessTheUserSaysSo) {
  const struct {
    const char* profile;
    int repetitions;
    std::chrono::nanoseconds target;
  } cases[] = {{"smoke", 1, 5ms}, {"quick", 3, 250ms}, {"full", 9, 1s}};
  for (const auto& c : cases) {
    const std::string profile = std::string("--hvbench_profile=") + c.profile;
    const Options options = Accepted({profile});
    EXPECT_EQ(options.repetitions, c.repetitions) << c.profile;
    EXPECT_EQ(options.target_time, c.target);
    EXPECT_EQ(Accepted({profile, "--benchmark_repetitions=2"}).repetitions, 2);
    EXPECT_TRUE(Contains(options.benchmark_arguments, "--benchmark_repetitions=1")) << c.profile;
  }
  const Options turns = Accepted({"--hvbench_compare", "--benchmark_repetitions=2"});
  EXPECT_EQ(turns.repetitions, 2);
  EXPECT_TRUE(Contains(turns.benchmark_arguments, "--benchmark_repetitions=2"));
}

// Which are of all visits, while Google Benchmark sees one.
TEST(Options, AggregatesAreOurs) {
  EXPECT_FALSE(Accepted({}).aggregates_alone_on_screen);
  const Options screen = Accepted({"--benchmark_display_aggregates_only=true"});
  EXPECT_TRUE(screen.aggregates_alone_on_screen);
  EXPECT_FALSE(screen.aggregates_alone_in_file);
  const Options both = Accepted({"--benchmark_report_aggregates_only"});
  EXPECT_TRUE(both.aggregates_alone_on_screen);
  EXPECT_TRUE(both.aggregates_alone_in_file);
  for (const std::string& argument : both.benchmark_arguments) {
    EXPECT_EQ(argument.find("aggregates_only"), std::string::npos);
  }
}

TEST(Options, MinTimeIsTheAgents) {
  const struct {
    const char* text;
    std::chrono::nanoseconds target;
    std::uint64_t iterations;
  } cases[] = {{"0.5", 500ms, 0}, {"0.5s", 500ms, 0}, {".25", 250ms, 0},  {"2", 2s, 0},
               {"1e-3", 1ms, 0},  {"1E2s", 100s, 0},  {"10x", 250ms, 10}, {"1x", 250ms, 1}};
  for (const auto& c : cases) {
    const Options options = Accepted({std::string("--benchmark_min_time=") + c.text});
    EXPECT_EQ(options.target_time, c.target) << c.text;
    EXPECT_EQ(options.fixed_iterations, c.iterations) << c.text;
    // Google Benchmark itself has nothing to search for.
    const auto count =
        std::count_if(options.benchmark_arguments.begin(), options.benchmark_arguments.end(),
                      [](const std::string& a) { return a.starts_with("--benchmark_min_time"); });
    EXPECT_EQ(count, 1);
  }
  EXPECT_EQ(Accepted({"--benchmark_min_time=3", "--benchmark_min_time=4"}).target_time, 4s);
}

TEST(Options, LeaveFlagsWithALongerNameAlone) {
  const Options options = Accepted({"--benchmark_min_warmup_time=0.5"});
  EXPECT_TRUE(Contains(options.benchmark_arguments, "--benchmark_min_warmup_time=0.5"));
}

TEST(Options, KnowTheWords) {
  EXPECT_EQ(Accepted({"doctor"}).command, Command::kDoctor);
  EXPECT_FALSE(Accepted({"doctor"}).json);
  EXPECT_TRUE(Accepted({"doctor", "--json"}).json);
  EXPECT_EQ(Accepted({"cleanup"}).command, Command::kCleanup);
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{"--hvbench_work_dir=/w", "cleanup"},
        std::vector<std::string>{"cleanup", "--hvbench_work_dir=/w"}}) {
    const Options options = Accepted(order);
    EXPECT_EQ(options.command, Command::kCleanup);
    EXPECT_EQ(options.work_dir, "/w");
  }
  const Options doctor = Accepted({"--hvbench_runtimes=native,runc", "doctor"});
  EXPECT_EQ(doctor.command, Command::kDoctor);
  EXPECT_EQ(doctor.runtimes.size(), 2u);
}

TEST(Options, HelpAndVersionEndWell) {
  for (const char* flag : {"--help", "--version"}) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(Parse({flag}).exit_status, 0) << flag;
    EXPECT_FALSE(::testing::internal::GetCapturedStdout().empty()) << flag;
  }
}

TEST(Options, ABadOneIsOneSentenceAndStatusTwo) {
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {
      {{"--hvbench_profile=fast"}, "fast"},
      {{"--hvbench_cpus=0"}, "hvbench_cpus"},
      {{"--hvbench_cpus=x"}, "hvbench_cpus"},
      {{"--hvbench_cpus=99999999999999999999"}, "hvbench_cpus"},
      {{"--hvbench_memory_mib=1"}, "hvbench_memory_mib"},
      {{"--hvbench_memory_mib=-512"}, "hvbench_memory_mib"},
      {{"--hvbench_timeout_s=0"}, "hvbench_timeout_s"},
      {{"--hvbench_runtime=native"}, "--hvbench_runtime"},
      {{"--hvbench_work_dir"}, "hvbench_work_dir"},
      {{"--unknown"}, "--unknown"},
      {{"measure"}, "measure"},
      {{"-x"}, "-x"},
      {{"--benchmark_format=xml"}, "xml"},
      {{"--benchmark_out_format=xml"}, "xml"},
      {{"--benchmark_repetitions=x"}, "benchmark_repetitions"},
      {{"--benchmark_repetitions="}, "benchmark_repetitions"},
      {{"--benchmark_repetitions=0"}, "benchmark_repetitions"},
      {{"--benchmark_repetitions=-1"}, "benchmark_repetitions"},
      {{"--benchmark_repetitions=99999999999"}, "benchmark_repetitions"},
      {{"--benchmark_time_unit=h"}, "benchmark_time_unit"},
      {{"--v=much"}, "--v"},
      {{"--benchmark_min_time=soon"}, "benchmark_min_time"},
      {{"--benchmark_min_time="}, "benchmark_min_time"},
      {{"--benchmark_min_time=0"}, "benchmark_min_time"},
      {{"--benchmark_min_time=-1"}, "benchmark_min_time"},
      {{"--benchmark_min_time=1e999"}, "benchmark_min_time"},
      {{"--benchmark_min_time=1e30s"}, "benchmark_min_time"},
      {{"--benchmark_min_time=0x"}, "benchmark_min_time"},
      {{"--benchmark_min_time=0.5x"}, "benchmark_min_time"},
      {{"--benchmark_min_time=1e30x"}, "benchmark_min_time"},
      {{"--benchmark_min_time=5m"}, "benchmark_min_time"},
      {{"--benchmark_filter=("}, "benchmark_filter"},
      {{"--benchmark_filter=-["}, "benchmark_filter"},
      // No look-ahead and no \d in Google Benchmark's grammar, unlike compare.py's.
      {{"--benchmark_filter=runtime:runc(?=/)"}, "benchmark_filter"},
      {{"--benchmark_filter=depth:\\d"}, "benchmark_filter"},
      {{"--json"}, "--json"},
  };
  for (const auto& c : cases) {
    ::testing::internal::CaptureStderr();
    const int status = Parse(c.arguments).exit_status;
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(status, kExitUsage) << c.arguments[0];
    EXPECT_TRUE(text.starts_with("hvbench: ")) << c.arguments[0] << ": " << text;
    EXPECT_NE(text.find(c.says), std::string::npos) << c.arguments[0] << ": " << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  }
}

TEST(Options, HelpListsCommands) {
  ::testing::internal::CaptureStdout();
  const int status = Parse({"--help"}).exit_status;
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, kExitMeasured);
  EXPECT_NE(text.find("[COMMAND]"), std::string::npos) << text;
  EXPECT_NE(text.find("\nCommands:\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("ubcommand"), std::string::npos) << text;
}

TEST(Options, TheWorkDirectoryIsInTheCache) {
  {
    const EnvironmentVariable cache("XDG_CACHE_HOME", "/cache");
    EXPECT_EQ(Accepted({}).work_dir, "/cache/hvbench");
  }
  const EnvironmentVariable cache("XDG_CACHE_HOME", "relative is invalid");
  EXPECT_TRUE(Accepted({}).work_dir.is_absolute());
  EXPECT_EQ(Accepted({}).work_dir.filename(), "hvbench");
}

}  // namespace
}  // namespace hvbench

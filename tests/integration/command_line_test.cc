// Wrong usage and wrong circumstances: one clear sentence, and the right exit status.
#include <cstdlib>
#include <fstream>

#include "fixtures/cell_name.h"
#include "tests/integration/program.h"
#include "tests/support/environment_variable.h"

namespace hvbench::test {
namespace {

using CommandLineTest = ProgramTest;

struct BadUse {
  std::vector<std::string> arguments;
  int exit_code;
  std::string says;
};

TEST_F(CommandLineTest, BadUseGetsOneSentence) {
  const std::vector<BadUse> cases = {
      {{"--hvbench_nonsense=1"}, 2, "--hvbench_nonsense"},
      {{"--benchmark_nonsense=1"}, 2, "--benchmark_nonsense"},
      {{"--benchmark_repetitions=many"}, 2, "many"},
      {{"--benchmark_filter=("}, 2, "regular expression"},
      {{"--hvbench_profile=huge"}, 2, "huge"},
      {{"--hvbench_cpus=0"}, 2, "hvbench_cpus"},
      {{"--hvbench_runtimes=natif"}, 2, "no runtime natif"},
      {{"--hvbench_runtimes_file=/nonexistent.json"}, 2, "/nonexistent.json"},
      {{"--hvbench_agent=/nonexistent/agent"}, 2, "/nonexistent/agent"},
      {{"--hvbench_agent=/bin/true"}, 2, "not an agent"},
      {{"--hvbench_work_dir=/proc/hvbench"}, 2, "--hvbench_work_dir"},
      {{"--benchmark_out=/nonexistent/r.json"}, 1, "/nonexistent/r.json"},
      {{"--benchmark_filter=no/such/kernel", "--hvbench_runtimes=native"}, 3, "no/such/kernel"},
      {{"docter"}, 2, "docter"},
  };
  for (const BadUse& bad : cases) {
    SCOPED_TRACE(bad.arguments[0]);
    const ProgramResult result = Run(bad.arguments);
    EXPECT_EQ(result.exit_code, bad.exit_code) << result.err;
    EXPECT_NE(result.err.find(bad.says), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
  }
}

TEST_F(CommandLineTest, AFilterThatMatchesNothingLeavesNoFile) {
  const std::string out = (dir_ / "r.json").string();
  EXPECT_EQ(Run({"--benchmark_filter=none", "--benchmark_out=" + out}).exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(CommandLineTest, AnUnusableRuntimeIsLeftOutUnlessNamed) {
  std::ofstream(dir_ / "runtimes.json")
      << R"({"runtimes": [{"name": "runc-old", "launcher": "runc", "binary": "/no/runc"}]})";
  const std::string file = "--hvbench_runtimes_file=" + (dir_ / "runtimes.json").string();
  const ProgramResult named = Run({file, "--hvbench_runtimes=runc-old"});
  EXPECT_EQ(named.exit_code, 2);
  EXPECT_NE(named.err.find("runc-old is not usable here"), std::string::npos) << named.err;
  EXPECT_NE(named.err.find("/no/runc"), std::string::npos) << named.err;

  const ProgramResult unnamed =
      Run({file, "--benchmark_filter=noop/runtime:(native|runc-old)/", "--hvbench_profile=smoke"});
  EXPECT_EQ(unnamed.exit_code, 0) << unnamed.err;
  EXPECT_NE(unnamed.err.find("left out: runc-old"), std::string::npos) << unnamed.err;
}

TEST_F(CommandLineTest, TakesFlagsFromTheEnvironment) {
  const std::string out = (dir_ / "r.json").string();
  const EnvironmentVariable filter("BENCHMARK_FILTER", "noop/runtime:native/");
  const EnvironmentVariable file("BENCHMARK_OUT", out);
  const EnvironmentVariable context("BENCHMARK_CONTEXT", "place=here,other=1");
  const EnvironmentVariable verbosity("V", "9");
  {
    const EnvironmentVariable list("BENCHMARK_LIST_TESTS", "yes");
    const ProgramResult listed = Run({});
    EXPECT_EQ(listed.exit_code, 0) << listed.err;
    EXPECT_EQ(listed.out, "calibration/noop/runtime:native/manual_time\n");
    EXPECT_EQ(Run({"--benchmark_list_tests=false", "--benchmark_filter=none"}).exit_code, 3)
        << "a flag wins";
  }
  const ProgramResult measured = Run(
      {"--hvbench_profile=smoke", "--hvbench_runtimes=native", "--benchmark_context=place=there"});
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
  const nlohmann::json json = ReadJson("r.json");
  EXPECT_EQ(json.at("context").at("place"), "there");
  EXPECT_EQ(json.at("context").at("other"), "1");
  EXPECT_TRUE(json.at("context").contains("hvbench_version"));
  EXPECT_EQ(json.at("benchmarks").size(), 1u);
  {
    const EnvironmentVariable format("BENCHMARK_FORMAT", "json");
    const EnvironmentVariable repetitions("BENCHMARK_REPETITIONS", "2");
    const ProgramResult printed = Run({"--hvbench_profile=smoke", "--hvbench_runtimes=native"});
    const nlohmann::json rows = nlohmann::json::parse(printed.out).at("benchmarks");
    EXPECT_EQ(rows.at(0).at("repetitions"), 2);
  }
  const EnvironmentVariable color("BENCHMARK_OUT_FORMAT", "xml");
  EXPECT_EQ(Run({}).exit_code, 2) << "as the flag's would be";
}

TEST_F(CommandLineTest, WritesNumbersTheSameInEveryLocale) {
  const std::filesystem::path locales = dir_ / "locales";
  const std::filesystem::path german = locales / "de_DE.UTF-8";
  std::filesystem::create_directory(locales);
  if (const auto localedef = FindExecutable("localedef")) {
    RunCommand({localedef->string(), "-i", "de_DE", "-f", "UTF-8", german.string()},
               Deadline::In(std::chrono::seconds(60)));
  }
  if (!std::filesystem::exists(german / "LC_NUMERIC")) GTEST_SKIP() << "needs the package locales";
  const EnvironmentVariable path("LOCPATH", locales.string());
  const EnvironmentVariable locale("LC_ALL", "de_DE.UTF-8");
  const EnvironmentVariable zone("TZ", "Asia/Kolkata");
  const ProgramResult result =
      Run({"--benchmark_filter=noop/runtime:native/", "--hvbench_profile=smoke",
           "--benchmark_out=" + (dir_ / "r.json").string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = ReadJson("r.json");
  EXPECT_TRUE(json.at("benchmarks").at(0).at("real_time").is_number());
  const auto first_reply =
      json.at("context").at("runtime.native.first_reply_ms").get<std::string>();
  EXPECT_EQ(first_reply.find_first_not_of("0123456789."), std::string::npos) << first_reply;
}

// A folder that was removed behind the shell's back has no path.
TEST_F(CommandLineTest, NeedsNoCurrentDirectory) {
  const std::filesystem::path gone = dir_ / "gone";
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directory(gone);
  std::filesystem::current_path(gone);
  std::filesystem::remove(gone);
  const ProgramResult absolute =
      Run({"--benchmark_filter=noop/runtime:native/", "--hvbench_profile=smoke"});
  work_dir_ = "relative";
  const ProgramResult relative = Run({});
  std::filesystem::current_path(before);
  EXPECT_EQ(absolute.exit_code, 0) << absolute.err;
  EXPECT_EQ(relative.exit_code, 2) << relative.err;
  EXPECT_NE(relative.err.find("there is no current directory"), std::string::npos) << relative.err;
}

TEST_F(CommandLineTest, ListingBootsNothingAndNamesParse) {
  const ProgramResult result = Run({"--benchmark_list_tests"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(ParseCellName(line).has_value()) << line;
  }
  EXPECT_GT(count, 30);
  EXPECT_FALSE(std::filesystem::exists(work_dir_ / "runs"));
}

TEST_F(CommandLineTest, DoctorKnowsEveryRuntime) {
  const ProgramResult text = Run({"doctor"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("native"), std::string::npos);
  const ProgramResult result = Run({"doctor", "--json"});
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_GE(json.at("runtimes").size(), 2u);
  for (const auto& runtime : json.at("runtimes")) {
    EXPECT_NE(runtime.at("usable").get<bool>(), !runtime.at("reason").get<std::string>().empty())
        << runtime;
  }
}

TEST_F(CommandLineTest, AFullDiskIsAnErrorNotSilence) {
  const ProgramResult result = Run({"--benchmark_filter=noop/runtime:native/",
                                    "--hvbench_profile=smoke", "--benchmark_out=/dev/full"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace hvbench::test

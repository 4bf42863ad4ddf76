// Whatever ends a run, what it measured is kept, and --hvbench_resume goes on with it.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

using Json = nlohmann::json;

constexpr int kRepetitions = 3;

class ResumeTest : public ProgramTest {
 protected:
  std::filesystem::path Out() const { return dir_ / "r.json"; }
  std::filesystem::path JournalPath() const { return dir_ / "r.json.journal"; }

  // Some forty short benchmarks of the bare host.
  std::vector<std::string> Arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--hvbench_runtimes=native",
                                          "--hvbench_profile=smoke",
                                          "--benchmark_filter=^(calibration|cpu|memory|syscall)/",
                                          "--benchmark_min_time=0.01",
                                          "--benchmark_repetitions=" + std::to_string(kRepetitions),
                                          "--benchmark_out=" + Out().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // Whole lines alone.
  std::vector<Json> JournalLines() const {
    std::vector<Json> lines;
    std::ostringstream text;
    text << std::ifstream(JournalPath()).rdbuf();
    const std::string all = text.str();
    for (std::size_t begin = 0, end = 0; (end = all.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      lines.push_back(Json::parse(all.substr(begin, end - begin)));
    }
    return lines;
  }

  // Waits until the journal has that many lines with this key.
  void AwaitLines(const char* key, int count) const {
    const Deadline deadline = Deadline::In(std::chrono::seconds(60));
    for (;;) {
      const std::vector<Json> lines = JournalLines();
      if (std::ranges::count_if(lines, [&](const Json& line) { return line.contains(key); }) >=
          count) {
        return;
      }
      ASSERT_FALSE(deadline.Passed()) << "no " << count << " lines of " << key;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // Until the journal has that many lines; or until the program ends, which removes the journal.
  void AwaitLinesOrEnd(Process& program, std::size_t count) const {
    while (JournalLines().size() < count &&
           !program.Wait(Deadline::In(std::chrono::milliseconds(5))).has_value()) {
    }
  }

  // A run that was killed after so many lines of that kind.
  void RunKilledAfter(const char* key, int count, const std::vector<std::string>& arguments) {
    Process program = Start(arguments);
    AwaitLines(key, count);
    program.Kill(SIGKILL);
    Finish(std::move(program));
  }

  static std::map<std::string, std::vector<Json>> RepetitionsOf(const Json& results) {
    std::map<std::string, std::vector<Json>> rows;
    for (const Json& row : results.at("benchmarks")) {
      if (row.at("run_type") == "iteration") rows[row.at("name")].push_back(row);
    }
    return rows;
  }
};

// The journal of a run that was killed: the benchmarks that it has whole, each once; and in each
// start at most one that was begun and not finished.
std::map<std::string, Json> CompleteOnes(const std::vector<Json>& lines) {
  std::map<std::string, Json> complete;
  std::set<std::string> begun;
  for (const Json& line : lines) {
    if (line.contains("hvbench_journal")) {
      EXPECT_LE(begun.size(), 1u) << "of one start";
      begun.clear();
    } else if (line.contains("repetition")) {
      begun.insert(line.at("repetition").at("name"));
    } else if (line.contains("benchmark")) {
      begun.erase(line.at("benchmark"));
      if (!line.at("complete").get<bool>()) continue;
      EXPECT_TRUE(complete.emplace(line.at("benchmark"), line.at("rows")).second)
          << "measured again: " << line.at("benchmark");
    }
  }
  EXPECT_LE(begun.size(), 1u);
  return complete;
}

TEST_F(ResumeTest, KilledTwentyTimesItHasEveryBenchmarkOnce) {
  const char* const given = std::getenv("HVBENCH_TEST_SEED");
  const auto seed =
      given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  SCOPED_TRACE("HVBENCH_TEST_SEED=" + std::to_string(seed));
  std::cout << "HVBENCH_TEST_SEED=" << seed << '\n';
  std::mt19937 random(seed);
  // Random in what it has done, and not in time alone: a slow machine must not end all starts
  // early.
  std::uniform_int_distribution<std::size_t> more_lines(1, 14);
  std::uniform_int_distribution<int> wait_ms(0, 50);
  const ProgramResult list = Run(Arguments({"--benchmark_list_tests"}));
  const auto benchmarks = static_cast<std::size_t>(std::ranges::count(list.out, '\n'));
  ASSERT_GE(benchmarks, 20u) << list.err;

  std::map<std::string, Json> known;  // of the run that goes on
  int starts_with_a_row = 0;
  const auto check_finished = [&] {
    const auto rows = RepetitionsOf(ReadJson("r.json"));
    EXPECT_EQ(rows.size(), benchmarks);
    std::set<std::string> starts;
    for (const auto& [name, repetitions] : rows) {
      EXPECT_EQ(repetitions.size(), static_cast<std::size_t>(kRepetitions)) << name;
      EXPECT_FALSE(repetitions[0].contains("error_message")) << repetitions[0];
      if (repetitions[0].contains("start")) starts.insert(repetitions[0].at("start").dump());
      const auto before = known.find(name);
      if (before == known.end()) continue;
      for (std::size_t i = 0; i < repetitions.size(); ++i) {
        EXPECT_EQ(repetitions[i].at("boot"), before->second[i].at("counters").at("boot"));
        EXPECT_EQ(repetitions[i].at("iterations"), before->second[i].at("iterations"));
        EXPECT_DOUBLE_EQ(repetitions[i].at("real_time").get<double>() * 1e-9 *
                             repetitions[i].at("iterations").get<double>(),
                         before->second[i].at("real_s").get<double>())
            << name;
      }
    }
    starts_with_a_row += static_cast<int>(starts.size());
    EXPECT_FALSE(std::filesystem::exists(JournalPath()));
    known.clear();
  };

  for (int kills = 0; kills < 20;) {
    const std::size_t lines = JournalLines().size();
    Process program = Start(Arguments({"--hvbench_resume"}));
    // One in five at any time from the very beginning, the others while it measures.
    if (kills % 5 != 0) AwaitLinesOrEnd(program, lines + more_lines(random));
    const bool ended =
        program.Wait(Deadline::In(std::chrono::milliseconds(wait_ms(random)))).has_value();
    program.Kill(SIGKILL);
    const ProgramResult result = Finish(std::move(program));
    if (ended) {
      EXPECT_EQ(result.exit_code, 0) << result.err;
      check_finished();
      continue;
    }
    ++kills;
    if (!known.empty() && !std::filesystem::exists(JournalPath())) {
      check_finished();  // it was just about to end
      continue;
    }
    const auto complete = CompleteOnes(JournalLines());
    for (const auto& [name, rows] : known) {
      ASSERT_TRUE(complete.contains(name)) << "lost: " << name;
      EXPECT_EQ(complete.at(name), rows) << name;
    }
    known = complete;
  }
  const ProgramResult last = Run(Arguments({"--hvbench_resume"}));
  EXPECT_EQ(last.exit_code, 0) << last.err;
  check_finished();
  EXPECT_GT(starts_with_a_row, 1) << "the test proves nothing: no run was gone on with";
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(ResumeTest, ARepetitionIsOnTheDiskBeforeItsBenchmarkEnds) {
  RunKilledAfter(
      "repetition", 2,
      {"--hvbench_runtimes=native", "--benchmark_filter=syscall/epoll", "--benchmark_min_time=0.1",
       "--benchmark_repetitions=100000", "--benchmark_out=" + Out().string()});
  const std::string journal = JournalPath().string();
  const ProgramResult csv = Run({"report", journal, "--format=csv"});
  EXPECT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_GE(std::ranges::count(csv.out, '\n'), 1 + 2) << csv.out;
  EXPECT_NE(csv.err.find("did not finish"), std::string::npos) << csv.err;
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"report", journal, "--format=markdown"},
                                             {"report", journal},
                                             {"compare", journal, journal},
                                             {"findings", journal}}) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments[0] << result.err;
    EXPECT_NE(result.err.find("did not finish"), std::string::npos) << arguments[0] << result.err;
    EXPECT_EQ(result.out.find("did not finish") == std::string::npos, arguments[0] == "findings");
  }
  const ProgramResult absent = Run({"report", Out().string()});
  EXPECT_NE(absent.err.find(journal), std::string::npos) << absent.err;
}

TEST_F(ResumeTest, IsNeitherOverwrittenNorGoneOnWithByAnotherRun) {
  RunKilledAfter("benchmark", 1, Arguments());
  const std::vector<Json> lines = JournalLines();
  const ProgramResult anew = Run(Arguments());
  EXPECT_EQ(anew.exit_code, 2);
  EXPECT_NE(anew.err.find("--hvbench_resume"), std::string::npos) << anew.err;
  const ProgramResult other = Run(Arguments({"--hvbench_resume", "--hvbench_memory_mib=256"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("--hvbench_memory_mib was \"512\" and is \"256\""), std::string::npos)
      << other.err;
  const auto copy = dir_ / "hvbench";
  std::filesystem::copy_file(program_, copy);
  std::ofstream(copy, std::ios::app) << "another";
  program_ = copy;
  const ProgramResult program =
      Run(Arguments({"--hvbench_resume", std::string("--hvbench_agent=") + HVBENCH_TEST_AGENT}));
  EXPECT_EQ(program.exit_code, 2);
  EXPECT_NE(program.err.find("SHA-256 of hvbench was"), std::string::npos) << program.err;
  EXPECT_EQ(JournalLines(), lines);
  EXPECT_FALSE(std::filesystem::exists(Out()));
}

// Its journal, which is JSON, has U+FFFD in their place.
TEST_F(ResumeTest, NamesThatAreNotUtf8AreNoDifference) {
  const auto agent = dir_ / "agent\xFF";
  std::filesystem::copy_file(HVBENCH_TEST_AGENT, agent);
  const std::vector<std::string> named = {"--hvbench_agent=" + agent.string(),
                                          "--benchmark_context=place=no\xFFutf8"};
  RunKilledAfter("benchmark", 1, Arguments(named));
  const ProgramResult result = Run(Arguments({"--hvbench_resume", named.front(), named.back()}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(ReadJson("r.json").at("context").at("place"), "no\xEF\xBF\xBDutf8");
}

TEST_F(ResumeTest, SaysWhichLineIsDamaged) {
  RunKilledAfter("benchmark", 2, Arguments());
  std::ostringstream text;
  text << std::ifstream(JournalPath()).rdbuf();
  std::string damaged = text.str();
  damaged[damaged.find('\n') + 1] = 'x';
  std::ofstream(JournalPath()) << damaged;
  for (const auto& arguments : {Arguments({"--hvbench_resume"}), Arguments(),
                                std::vector<std::string>{"report", JournalPath().string()}}) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find("line 2"), std::string::npos) << result.err;
  }
}

TEST_F(ResumeTest, AnInterruptedRunIsGoneOnWithInEveryFormat) {
  for (const char* format : {"json", "csv", "console"}) {
    const std::string out_format = std::string("--benchmark_out_format=") + format;
    Process program = Start(Arguments({out_format}));
    AwaitLines("benchmark", 3);
    program.Kill(SIGTERM);
    const ProgramResult interrupted = Finish(std::move(program));
    EXPECT_EQ(interrupted.exit_code, 130) << interrupted.err;
    EXPECT_NE(interrupted.err.find("--hvbench_resume"), std::string::npos) << interrupted.err;
    EXPECT_TRUE(std::filesystem::exists(Out())) << "also without going on";
    const ProgramResult resumed =
        Run(Arguments({out_format, "--hvbench_resume", "--benchmark_format=json"}));
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    const auto shown = RepetitionsOf(Json::parse(resumed.out));
    std::ostringstream written;
    written << std::ifstream(Out()).rdbuf();
    EXPECT_GE(shown.size(), 20u);
    for (const auto& [name, rows] : shown) {
      EXPECT_EQ(rows.size(), static_cast<std::size_t>(kRepetitions)) << name;
      EXPECT_NE(written.str().find(name), std::string::npos) << format << ' ' << name;
    }
    EXPECT_EQ(written.str().find("interrupted"), std::string::npos) << written.str();
    EXPECT_FALSE(std::filesystem::exists(JournalPath()));
  }
  const Json context = [&] {
    Process program = Start(Arguments());
    AwaitLines("benchmark", 3);
    program.Kill(SIGKILL);
    Finish(std::move(program));
    EXPECT_EQ(Run(Arguments({"--hvbench_resume"})).exit_code, 0);
    return ReadJson("r.json").at("context");
  }();
  EXPECT_NE(context.at("start.1").get<std::string>().find("boots from 1"), std::string::npos);
  EXPECT_NE(context.at("start.2").get<std::string>().find("boots from 2"), std::string::npos)
      << "boots are counted on";
}

TEST_F(ResumeTest, ThereMayBeNothingToGoOnWith) {
  const std::vector<std::string> one = {"--hvbench_runtimes=native", "--hvbench_profile=smoke",
                                        "--benchmark_filter=noop", "--hvbench_resume"};
  EXPECT_EQ(Run(one).exit_code, 2) << "it needs a file";
  std::vector<std::string> with_file = one;
  with_file.push_back("--benchmark_out=" + Out().string());
  const ProgramResult result = Run(with_file);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("nothing to go on with"), std::string::npos) << result.err;
  EXPECT_EQ(ReadJson("r.json").at("benchmarks").size(), 1u);
  EXPECT_FALSE(ReadJson("r.json").at("benchmarks")[0].contains("start"));
  EXPECT_FALSE(std::filesystem::exists(JournalPath()));
}

TEST_F(ResumeTest, TwoRunsDoNotShareAFile) {
  Process first = Start(Arguments({"--benchmark_min_time=20"}));
  AwaitProgress("[1/");
  const ProgramResult second = Run(Arguments());
  first.Kill(SIGTERM);
  Finish(std::move(first));
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_NE(second.err.find("another run"), std::string::npos) << second.err;
}

TEST_F(ResumeTest, AComparisonGoesOnWithItsBlocks) {
  std::ofstream(dir_ / "runtimes.json")
      << R"({"runtimes": [{"name": "again", "launcher": "native"}]})";
  const auto arguments = [&](const std::string& last) {
    return std::vector<std::string>{"--hvbench_runtimes_file=" + (dir_ / "runtimes.json").string(),
                                    "--hvbench_runtimes=native,again",
                                    "--hvbench_compare",
                                    "--hvbench_interval_percent=0.01",
                                    "--hvbench_budget_s=20",
                                    "--benchmark_filter=syscall/(getppid|epoll)",
                                    "--benchmark_min_time=0.02",
                                    "--benchmark_out=" + Out().string(),
                                    last};
  };
  RunKilledAfter("block", 1, arguments("--v=0"));
  const auto lines = JournalLines();
  const auto blocks_before =
      std::ranges::count_if(lines, [](const Json& line) { return line.contains("block"); });
  const ProgramResult resumed = Run(arguments("--hvbench_resume"));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("block " + std::to_string(blocks_before + 1) + ":"), std::string::npos)
      << resumed.err;
  const Json results = ReadJson("r.json");
  const int blocks = std::stoi(results.at("context").at("comparison_blocks").get<std::string>());
  EXPECT_GT(blocks, blocks_before);
  for (const auto& [name, rows] : RepetitionsOf(results)) {
    std::map<int, int> visits;
    for (const Json& row : rows) {
      ++visits[row.at("block").get<int>()];
      EXPECT_EQ(row.at("start"), row.at("block") <= blocks_before ? 1 : 2) << row;
    }
    for (const auto& [block, count] : visits) EXPECT_EQ(count, 2) << name << ' ' << block;
  }
}

TEST_F(ResumeTest, AFullDiskEndsARunThatIsGoneOnWith) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a disk that is full";
  std::string run = program_ + " --hvbench_work_dir=" + work_dir_.string();
  for (const std::string& argument : Arguments()) run += " '" + argument + "'";
  run += " --benchmark_out=$D/disk/r.json";
  const std::string script =
      "set -e; D=" + dir_.string() +
      "; mkdir $D/disk; mount -t tmpfs -o size=32k none $D/disk; status=0; " + run +
      " 2>$D/first || status=$?; test $status = 1; test -s $D/disk/r.json.journal; "
      "test ! -e $D/disk/r.json; mount -o remount,size=8m $D/disk; " +
      run +
      " --hvbench_resume 2>$D/second; cp $D/disk/r.json $D/r.json; test $(ls $D/disk) = r.json";
  const CommandResult result = RunCommand({"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script},
                                          Deadline::In(std::chrono::seconds(120)));
  std::ostringstream first;
  first << std::ifstream(dir_ / "first").rdbuf();
  std::ostringstream second;
  second << std::ifstream(dir_ / "second").rdbuf();
  ASSERT_TRUE(result.status.success()) << result.output << first.str() << second.str();
  EXPECT_NE(first.str().find("r.json.journal: No space left on device"), std::string::npos)
      << first.str();
  const auto rows = RepetitionsOf(ReadJson("r.json"));
  EXPECT_GE(rows.size(), 20u);
  bool of_the_first = false;
  for (const auto& [name, repetitions] : rows) {
    EXPECT_EQ(repetitions.size(), static_cast<std::size_t>(kRepetitions)) << name;
    EXPECT_FALSE(repetitions[0].contains("error_message")) << repetitions[0];
    of_the_first = of_the_first || repetitions[0].at("start") == 1;
  }
  EXPECT_TRUE(of_the_first) << "what was measured before the disk was full";
}

}  // namespace
}  // namespace hvbench::test

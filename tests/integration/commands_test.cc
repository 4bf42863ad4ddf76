// The commands that work on files, and those that explain the program.
#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "runtime_launchers/support/json.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

class CommandsTest : public ProgramTest {
 protected:
  // A file of one benchmark, three boots (or repetitions of one) of some `ns`; returns its path.
  std::string Write(const std::string& name, double ns, const std::string& host = "box",
                    bool is_one_boot = false) {
    nlohmann::json json = {{"context", {{"host_name", host}, {"host_cpu_model", "A CPU"}}},
                           {"benchmarks", nlohmann::json::array()}};
    int boot = 0;
    for (const double factor : {1.0, 1.01, 0.99}) {
      boot += is_one_boot && boot > 0 ? 0 : 1;
      json["benchmarks"].push_back({{"name", "syscall/getppid/runtime:native/manual_time"},
                                    {"run_type", "iteration"},
                                    {"real_time", ns * factor},
                                    {"cpu_time", ns},
                                    {"time_unit", "ns"},
                                    {"boot", boot}});
    }
    const std::string path = (dir_ / name).string();
    std::ofstream(path) << json;
    return path;
  }

  std::vector<std::string> Complete(const std::string& completion,
                                    const std::vector<std::string>& words) {
    std::string script = completion + "\nCOMP_WORDS=(";
    for (const std::string& word : words) script += "'" + word + "' ";
    script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
              "\n_hvbench\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    std::ofstream(dir_ / "complete.sh") << script;
    const CommandResult result =
        RunCommand({"/bin/bash", "--norc", (dir_ / "complete.sh").string()},
                   Deadline::In(std::chrono::seconds(20)));
    EXPECT_TRUE(result.status.success()) << result.output;
    std::istringstream lines(result.output);
    std::vector<std::string> offered;
    for (std::string line; std::getline(lines, line);) offered.push_back(line);
    return offered;
  }
};

bool Has(const std::vector<std::string>& list, const std::string& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

TEST_F(CommandsTest, CompareTellsByItsExitStatus) {
  const std::string base = Write("a.json", 100);
  const std::string slow = Write("b.json", 200);
  const std::string other = Write("c.json", 100, "another");
  EXPECT_EQ(Run({"compare", base, base}).exit_code, 0);
  const ProgramResult slower = Run({"compare", base, slow});
  EXPECT_EQ(slower.exit_code, 1);
  EXPECT_NE(slower.err.find("syscall/getppid/runtime:native"), std::string::npos) << slower.err;
  EXPECT_EQ(Run({"compare", "--threshold=150", base, slow}).exit_code, 0);
  EXPECT_EQ(Run({"compare", base, other}).exit_code, 2);
  EXPECT_EQ(Run({"compare", "--allow-mismatch", base, other}).exit_code, 0);
  // One boot a side decides nothing, and that is no success.
  const std::string one_boot = Write("d.json", 200, "box", true);
  EXPECT_EQ(Run({"compare", one_boot, one_boot}).exit_code, 2);
}

TEST_F(CommandsTest, WrongUseIsOneSentence) {
  const std::string base = Write("a.json", 100);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"compare"},
           {"compare", base},
           {"compare", base, base, base},
           {"compare", base, "/nonexistent.json"},
           {"compare", base, base, "--threshold=-1"},
           {"compare", base, base, "--nonsense"},
           {"compare", base, HVBENCH_TEST_PROGRAM},
           {"report"},
           {"report", base, "--format=pdf"},
           {"findings", "/nonexistent.json"},
           {"completion", "fish"},
           {"selftest", "--rounds=0"},
           {"--hvbench_compare", "--hvbench_runtimes=native", "--hvbench_baseline=runc"},
       }) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments[0] << result.err;
    EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(CommandsTest, ReportWritesEveryForm) {
  const std::string base = Write("a.json", 100);
  for (const char* format : {"html", "markdown", "csv", "openmetrics"}) {
    const std::string out = (dir_ / format).string();
    EXPECT_EQ(Run({"report", base, "-o", out, std::string("--format=") + format}).exit_code, 0);
    EXPECT_GT(std::filesystem::file_size(out), 100u) << format;
  }
  EXPECT_NE(Run({"report", base, "--format=csv"}).out.find("syscall/getppid"), std::string::npos);
}

TEST_F(CommandsTest, FindingsAreListed) {
  const ProgramResult result = Run({"findings", Write("a.json", 100), "--format=json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out).size(), 17u);
}

TEST_F(CommandsTest, TheManualHasEveryFlagAndCommand) {
  const std::string help = Run({"--help"}).out;
  std::string manual = Run({"manual"}).out;
  EXPECT_TRUE(manual.starts_with(".TH HVBENCH 1"));
  manual = std::regex_replace(manual, std::regex(R"(\\-)"), "-");
  const std::regex flag("--hvbench_[a-z_]+");
  for (std::sregex_iterator at(help.begin(), help.end(), flag), end; at != end; ++at) {
    EXPECT_NE(manual.find(at->str()), std::string::npos) << at->str();
  }
  for (const char* command : {"doctor", "cleanup", "selftest", "compare A.json B.json", "report",
                              "findings", "manual", "completion"}) {
    EXPECT_NE(manual.find(".SS " + std::string(command)), std::string::npos) << command;
  }
}

TEST_F(CommandsTest, BashCompletes) {
  const std::string completion = Run({"completion", "bash"}).out;
  EXPECT_TRUE(Has(Complete(completion, {"hvbench", "rep"}), "report"));
  EXPECT_TRUE(Has(Complete(completion, {"hvbench", "--hvbench_run"}), "--hvbench_runtimes="));
  EXPECT_TRUE(Has(Complete(completion, {"hvbench", "--benchmark_fil"}), "--benchmark_filter="));
  EXPECT_EQ(Complete(completion, {"hvbench", "--hvbench_profile", "=", "sm"}),
            std::vector<std::string>{"smoke"});
  EXPECT_EQ(Complete(completion, {"hvbench", "--hvbench_profile", "="}).size(), 3u);
  EXPECT_TRUE(Has(Complete(completion, {"hvbench", "compare", "--th"}), "--threshold="));
  EXPECT_TRUE(Has(Complete(completion, {"hvbench", "compare", "/etc/host"}), "/etc/hosts"));
  EXPECT_TRUE(
      Has(Complete(completion, {"hvbench", "report", "--format", "=", "op"}), "openmetrics"));
}

}  // namespace
}  // namespace hvbench::test

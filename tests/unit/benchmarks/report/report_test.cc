#include "benchmarks/report/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

SampleFile SampleOfTwoRuntimes() {
  SampleFile sample;
  sample.Context("host_kernel", "6.1").Context("warning.load", "busy; advice: wait");
  sample.Context("runtime.runc.boots_first_reply_ms", "12.5,13");
  sample.Add("cpu/a/n:1/runtime:native", {100, 101, 99}, -1)
      .Add("cpu/a/n:1/runtime:runc", {200, 201, 199}, -11);
  sample.Counter("p99_ns", 250);
  sample.Add("disk/a/runtime:native", {10, 11});
  sample.Fail("disk/a/runtime:runc", "SKIPPED: no, \"really\"");
  return sample;
}

std::string Html(const std::vector<ResultFile>& files) {
  std::ostringstream out;
  WriteHtml(files, "native", out);
  return out.str();
}

nlohmann::json DataOf(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST(Html, HasTheNumbersAndTheirVerdicts) {
  const nlohmann::json data = DataOf(Html({SampleOfTwoRuntimes().File()}));
  const nlohmann::json& file = data.at("files").at(0);
  EXPECT_EQ(file.at("baseline"), "native");
  const nlohmann::json& cell = file.at("kernels").at(0).at("cells").at(1);
  EXPECT_EQ(cell.at("t"), nlohmann::json({200, 201, 199}));
  EXPECT_EQ(cell.at("v"), "slower");
  EXPECT_NEAR(cell.at("ratio").at("r").get<double>(), 2, 0.01);
  EXPECT_EQ(cell.at("c").at("p99_ns"), 250);
  EXPECT_EQ(file.at("kernels").at(1).at("cells").at(1).at("why"), "no, \"really\"");
  EXPECT_EQ(file.at("runtimes").at(1).at("boots_ms"), nlohmann::json({12.5, 13.0}));
  EXPECT_EQ(file.at("warnings").at("load"), "busy; advice: wait");
  EXPECT_EQ(file.at("findings").size(), 17u);
}

// Three repetitions of one boot say nothing of other boots.
TEST(Html, HasNoVerdictAndNoIntervalOfOneBoot) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:native", {100, 101, 99}, 1);
  sample.Add("cpu/a/runtime:runc", {200, 201, 199}, 2);
  const nlohmann::json file = DataOf(Html({sample.File()})).at("files").at(0);
  for (const nlohmann::json& cell :
       {file.at("kernels").at(0).at("cells").at(1), file.at("groups").at(0).at("cells").at(1)}) {
    EXPECT_EQ(cell.at("v"), "one boot");
    EXPECT_FALSE(cell.at("ratio").contains("lo")) << cell;
    EXPECT_FALSE(cell.at("ratio").contains("detectable")) << cell;
  }
  EXPECT_FALSE(file.at("kernels").at(0).at("cells").at(1).at("time").contains("lo"));
  std::ostringstream markdown;
  WriteMarkdown({sample.File()}, "native", markdown);
  EXPECT_NE(markdown.str().find("| 1 2.00 |"), std::string::npos) << markdown.str();
}

TEST(Html, NeedsNothingFromOutside) {
  const std::string page = Html({SampleOfTwoRuntimes().File()});
  EXPECT_NE(page.find("Content-Security-Policy"), std::string::npos);
  EXPECT_NE(page.find("Permission is hereby granted"), std::string::npos) << "Chart.js's licence";
  EXPECT_FALSE(std::regex_search(page.substr(0, page.find("application/json")),
                                 std::regex("(src|href)=\"?(https?:|//)")));
  EXPECT_EQ(page.find("{{"), std::string::npos) << "a part that was not filled in";
}

// A guest's text is not part of the page's code.
TEST(Html, KeepsHostileTextInside) {
  SampleFile sample = SampleOfTwoRuntimes();
  sample.Fail("cpu/b/runtime:runc", "ERROR: </script><script>alert(1)</script>{{css}}");
  const std::string page = Html({sample.File()});
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(DataOf(page).at("files").at(0).at("kernels").at(2).at("cells").at(1).at("why"),
            "</script><script>alert(1)</script>{{css}}");
}

TEST(Html, OfTwoThousandCellsIsAtMostTwoMebibytes) {
  SampleFile sample;
  for (int kernel = 0; kernel < 400; ++kernel) {
    for (const char* runtime : {"native", "runc", "crun", "docker", "gvisor"}) {
      std::vector<double> times_ns;
      for (int i = 0; i < 9; ++i) times_ns.push_back(1234.5678 + 1.2345 * i * kernel);
      const std::string name = "cpu/kernel_of_some_name/parameter:" + std::to_string(kernel) +
                               "/another:1/runtime:" + runtime;
      sample.Add(name, times_ns, -1);
      for (const char* counter : {"p50_ns", "p99_ns", "host_cpu_ns", "items_per_second"}) {
        sample.Counter(counter, 98765.4321);
      }
    }
  }
  const std::string page = Html({sample.File()});
  EXPECT_EQ(DataOf(page).at("files").at(0).at("kernels").size(), 400u);
  EXPECT_LE(page.size(), std::size_t{2} << 20);
}

TEST(Csv, HasARowForEachRepetition) {
  std::ostringstream out;
  WriteCsv({SampleOfTwoRuntimes().File()}, out);
  std::istringstream lines(out.str());
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  ASSERT_EQ(rows.size(), 1 + 3 + 3 + 2 + 1u);
  const auto commas = std::count(rows[0].begin(), rows[0].end(), ',');
  EXPECT_EQ(rows[1], "r.json,cpu/a/n:1,cpu,native,false,measured,,0,1,0,100,100,");
  EXPECT_EQ(std::count(rows[1].begin(), rows[1].end(), ','), commas);
  EXPECT_EQ(rows[6], "r.json,cpu/a/n:1,cpu,runc,false,measured,,2,13,0,199,199,250");
  EXPECT_EQ(rows[9], "r.json,disk/a,disk,runc,false,skipped,\"no, \"\"really\"\"\",,,,,,");
}

TEST(Markdown, HasTheMatrixAndTheReasons) {
  std::ostringstream out;
  WriteMarkdown({SampleOfTwoRuntimes().File()}, "native", out);
  const std::string text = out.str();
  EXPECT_NE(text.find("| cpu | 1 of 1 | 2.00 ["), std::string::npos) << text;
  EXPECT_NE(text.find("| cpu/a/n:1 | 100 ns | ▲ 2.00 ["), std::string::npos) << text;
  EXPECT_NE(text.find("skipped: no, \"really\""), std::string::npos) << text;
}

// The grammar of a line of OpenMetrics, as far as it is used here.
TEST(OpenMetrics, IsWellFormed) {
  std::ostringstream out;
  SampleFile sample = SampleOfTwoRuntimes();
  sample.Context("host_name", "a \"box\" \\ with\nlines");
  WriteOpenMetrics({sample.File()}, out);
  const std::string label = R"([a-z_]+="(?:[^"\\\n]|\\["\\n])*")";
  const std::regex value("[a-z_]+\\{" + label + "(," + label + ")*\\} [0-9.e+-]+");
  const std::regex meta("# (TYPE|UNIT|HELP) hvbench_[a-z_]+ .+");
  std::istringstream lines(out.str());
  std::string last;
  int values = 0;
  for (std::string line; std::getline(lines, line); last = line) {
    if (line == "# EOF") continue;
    EXPECT_TRUE(std::regex_match(line, line.starts_with('#') ? meta : value)) << line;
    values += line.starts_with('#') ? 0 : 1;
  }
  EXPECT_EQ(last, "# EOF");
  EXPECT_EQ(values, 4 * 3 + 4);
}

}  // namespace
}  // namespace hvbench

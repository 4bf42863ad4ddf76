// One hostile text as every value that is not this program's own, through every output.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "benchmarks/doctor.h"
#include "benchmarks/report/buffered_reporter.h"
#include "benchmarks/report/compare_files.h"
#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/findings_text.h"
#include "benchmarks/report/progress.h"
#include "benchmarks/report/report.h"
#include "benchmarks/report/verdict_table.h"
#include "benchmarks/results/findings.h"
#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_results.h"
#include "tests/unit/benchmarks/report/sample_rows.h"
#include "tests/unit/fixtures/support/temporary_dir.h"

namespace hvbench {
namespace {

using testing::SampleFile;

// A formula, a link, an image, HTML, a table's cell, a heading, code, a label's end, a template's
// part, a terminal's title and colors, and a turn of direction; the last bytes are no UTF-8.
const std::string kHostile =
    "=HYPERLINK(\"http://evil.example/\",\"x\")|</script><script>alert(1)</script>"
    "[click](javascript:alert(1))![i](http://evil.example/i.png)\n# heading\n`code`{{css}}\\"
    "\x1b]0;title\x07\x1b[31m\xC2\x9B"
    "2J\xE2\x80\xAEgnp.";
const std::string kBroken = kHostile + "\xFF\xC0\xAF";

SampleFile Hostile() {
  SampleFile sample;
  sample.Context("host_name", kHostile).Context("host_" + kHostile, kHostile);
  sample.Context("warning." + kHostile, kHostile).Context("date", kHostile);
  sample.Context("runtime.runc." + kHostile, kHostile);
  sample.Add("cpu/a/n:1/runtime:native", {100, 101, 99});
  sample.Add("cpu/a/n:1/runtime:runc", {200, 201, 199}).Counter(kHostile, 5);
  sample.Add(kHostile, {1, 2, 3});
  sample.Fail("cpu/b/runtime:native", "ERROR: " + kHostile);
  sample.Fail("cpu/b/runtime:runc", "SKIPPED: " + kHostile);
  sample.Fail(kHostile + "/2", kHostile);
  return sample;
}

void ExpectFitForATerminal(const std::string& text) {
  SCOPED_TRACE(text);
  EXPECT_NE(text.find("HYPERLINK"), std::string::npos) << "it is told all the same";
  for (const char c : text) {
    const int code = static_cast<unsigned char>(c);
    EXPECT_TRUE(code >= 0x20 || c == '\n' || c == '\t') << code;
  }
  for (const char* bad : {"\x7f", "\xC2\x9B", "\xE2\x80\xAE", "\xFF", "\xC0"}) {
    EXPECT_EQ(text.find(bad), std::string::npos);
  }
}

void ExpectFitForMarkdown(const std::string& text) {
  ExpectFitForATerminal(text);
  for (const char* bad : {"<script", "](", "`code`", "http://", "{{css}}|"}) {
    EXPECT_EQ(text.find(bad), std::string::npos) << bad << " in " << text;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(line.starts_with("# heading")) << text;
  }
}

template <typename Write>
std::string Written(Write write) {
  std::ostringstream out;
  write(out);
  return out.str();
}

// RFC 4180.
std::vector<std::vector<std::string>> ParseCsv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\n') {
      rows.emplace_back(1);
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

TEST(HostileText, InMarkdown) {
  ExpectFitForMarkdown(
      Written([](auto& out) { WriteMarkdown({Hostile().File(kBroken)}, kBroken, out); }));
}

TEST(HostileText, InCsv) {
  const std::string text = Written([](auto& out) { WriteCsv({Hostile().File(kBroken)}, out); });
  ExpectFitForATerminal(text);
  const auto rows = ParseCsv(text);
  ASSERT_EQ(rows.size(), 1 + 3 + 3 + 3 + 1 + 1 + 1u);
  for (const auto& row : rows) {
    EXPECT_EQ(row.size(), rows[0].size()) << text;
    for (const std::string& field : row) {
      EXPECT_EQ(std::string("=+-@").find(field.empty() ? 'x' : field[0]), std::string::npos)
          << field;
    }
  }
}

TEST(HostileText, InOpenMetrics) {
  const std::string text =
      Written([](auto& out) { WriteOpenMetrics({Hostile().File(kBroken)}, out); });
  ExpectFitForATerminal(text);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::size_t at = line.find('{');
    ASSERT_NE(at, std::string::npos) << line;
    bool quoted = false;
    while (++at < line.size() && (quoted || line[at] != '}')) {
      if (line[at] == '\\') {
        ++at;
      } else if (line[at] == '"') {
        quoted = !quoted;
      }
    }
    EXPECT_TRUE(std::regex_match(line.substr(at), std::regex("\\} [0-9.e+-]+"))) << line;
  }
}

TEST(HostileText, InThePage) {
  const std::string page =
      Written([](auto& out) { WriteHtml({Hostile().File(kBroken)}, kBroken, out); });
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(begin) + begin.size();
  const nlohmann::json data =
      nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
  const nlohmann::json& file = data.at("files").at(0);
  EXPECT_EQ(file.at("host").at("name"), kHostile) << "the page itself writes no HTML";
}

TEST(HostileText, InFindings) {
  SampleFile sample = Hostile();
  const auto findings = JudgeFindings(sample.File(kBroken));
  for (const char* format : {"text", "markdown"}) {
    const std::string text = Written([&](auto& out) { PrintFindings(findings, format, out); });
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("<script"), std::string::npos);
  }
  EXPECT_TRUE(
      nlohmann::json::accept(Written([&](auto& out) { PrintFindings(findings, "json", out); })));
}

TEST(HostileText, InComparisonsOfFiles) {
  const testing::TemporaryDir dir;
  // As good a name of a file as any; but without slashes.
  std::string name = kBroken;
  std::erase(name, '/');
  CompareFilesOptions options;
  options.baseline = dir.path() / name.substr(0, 200);
  options.other = dir.path() / "b.json";
  std::ofstream(options.baseline) << Hostile().Text();
  std::ofstream(options.other) << Hostile().Context("num_cpus", kHostile).Text();
  options.allow_mismatch = true;
  for (const char* format : {"text", "markdown", "json"}) {
    options.format = format;
    std::ostringstream err;
    const std::string out = Written([&](auto& stream) { CompareFiles(options, stream, err); });
    ExpectFitForATerminal(err.str());
    if (options.format == "json") {
      EXPECT_TRUE(nlohmann::json::accept(out)) << out;
    } else if (options.format == "markdown") {
      ExpectFitForMarkdown(out);
    } else {
      ExpectFitForATerminal(out);
    }
  }
}

TEST(HostileText, InTheTablesAtARunsEnd) {
  Results results;
  results.AddSample("cpu/a", "native", {100, 100, 1, 0, {}});
  results.AddSample("cpu/a", "native", {101, 100, 2, 0, {}});
  results.AddSample("cpu/a", kBroken, {200, 100, 1, 0, {}});
  results.AddSample("cpu/a", kBroken, {201, 100, 2, 0, {}});
  results.AddUnmeasured(kBroken, "native", Outcome::kFailed, kBroken);
  results.AddUnmeasured(kBroken, kBroken, Outcome::kSkipped, kBroken + "!");
  ExpectFitForATerminal(Written([&](auto& out) { PrintComparison(results, "native", out); }));
  ExpectFitForATerminal(
      Written([&](auto& out) { PrintVerdicts(Summary(results, "native"), out); }));
  ExpectFitForATerminal(Written([&](auto& out) { PrintVerdicts(Summary(results, kBroken), out); }));
}

TEST(HostileText, InTheDoctor) {
  Runtime runtime;
  runtime.options.name = kBroken;
  runtime.kind = kBroken;
  Runtime good;
  good.options.name = "good";
  const std::vector<ProbedRuntime> probed = {
      {&runtime, {false, kBroken + std::string(100'000, 'v'), kBroken, kBroken, ""}},
      {&good, {true, "1", "", "", kBroken}}};
  const std::string table = Written([&](auto& out) { PrintDoctor(probed, out); });
  ExpectFitForATerminal(table);
  EXPECT_LT(table.size(), 5000u) << "a version is no novel";
  EXPECT_TRUE(nlohmann::json::accept(Written([&](auto& out) { PrintDoctorJson(probed, out); })));
}

TEST(HostileText, InProgress) {
  ::testing::internal::CaptureStderr();
  Progress progress;
  progress.Note(kBroken);
  ExpectFitForATerminal(::testing::internal::GetCapturedStderr());
}

// Google Benchmark writes a message's bytes as they are, which JSON does not allow.
TEST(HostileText, InTheRowsOfARun) {
  std::vector<benchmark::BenchmarkReporter::Run> rows = {
      testing::FailedRow("cpu/a/runtime:runc", "ERROR: " + kBroken),
      testing::GoodRow("cpu/b/runtime:runc", 5, 10)};
  rows[1].report_label = kBroken;
  BufferedReporter reporter(std::make_unique<benchmark::JSONReporter>(), [] {});
  std::ostringstream out;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  reporter.ReportContext({});
  reporter.ReportRuns(rows);
  reporter.Finalize();
  nlohmann::json parsed;
  ASSERT_NO_THROW(parsed = nlohmann::json::parse(out.str())) << out.str();
  ExpectFitForATerminal(parsed.at("benchmarks").at(1).at("label").get<std::string>());
}

}  // namespace
}  // namespace hvbench

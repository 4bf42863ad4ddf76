#include "benchmarks/report/report.h"

#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <utility>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/comparison_text.h"
#include "benchmarks/report/findings_text.h"
#include "benchmarks/report/verdict_table.h"
#include "benchmarks/results/findings.h"
#include "benchmarks/results/summary.h"
#include "benchmarks/text/escape.h"
#include "benchmarks/text/number_text.h"
#include "benchmarks/text/output.h"
#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

void PrintHost(const ResultFile& file, std::ostream& out) {
  for (const auto& [key, value] : file.context) {
    if (key.starts_with("host_") && !value.empty()) {
      out << "- " << ForMarkdown(key) << ": " << ForMarkdown(value) << '\n';
    }
  }
  for (const auto& [key, value] : file.context) {
    if (key.starts_with("warning.")) {
      out << "- warning, " << ForMarkdown(key.substr(8)) << ": " << ForMarkdown(value) << '\n';
    }
  }
}

std::string MarkOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHigher:
      return "▲ ";
    case Verdict::kLower:
      return "▼ ";
    case Verdict::kNoDifference:
      return "= ";
    case Verdict::kTooFewBoots:
      return "≈ ";
    case Verdict::kTooNoisy:
      return "? ";
    case Verdict::kOneBoot:
      return "1 ";
  }
  return "";
}

std::string CellText(const Summary& summary, const std::string& kernel,
                     const std::string& runtime) {
  const CellResult* cell = summary.results().Find(kernel, runtime);
  if (cell == nullptr) return "";
  if (!cell->Measured()) return cell->outcome == Outcome::kSkipped ? "skipped" : "FAILED";
  if (const Comparison* comparison = summary.Find(kernel, runtime)) {
    return MarkOf(comparison->verdict) + PrintEstimate(comparison->estimate) +
           (comparison->detectable ? " (" + PrintDetectable(*comparison) + ")" : "");
  }
  return PrintTime(SpreadOf(cell->RealNs()).median);
}

void PrintKernels(const Summary& summary, const ResultFile& file, std::ostream& out) {
  std::vector<std::string> heading = {"benchmark"};
  for (const std::string& runtime : summary.results().runtimes()) {
    heading.push_back(runtime + (file.Emulated(runtime) ? " (emulated)" : ""));
  }
  TextTable table(heading);
  for (const std::string& kernel : summary.results().kernels()) {
    std::vector<std::string> row = {kernel};
    for (const std::string& runtime : summary.results().runtimes()) {
      row.push_back(CellText(summary, kernel, runtime));
    }
    table.Add(std::move(row));
  }
  table.Print(TableStyle::kMarkdown, out);
}

void PrintReasons(const Results& results, std::ostream& out) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const std::string& kernel : results.kernels()) {
    for (const std::string& runtime : results.runtimes()) {
      const CellResult* cell = results.Find(kernel, runtime);
      if (cell == nullptr || cell->Measured()) continue;
      const char* word = cell->outcome == Outcome::kSkipped ? "skipped: " : "failed: ";
      by_reason[word + cell->reason].push_back(kernel + "/runtime:" + runtime);
    }
  }
  for (const auto& [reason, names] : by_reason) {
    out << "- " << ForMarkdown(reason) << '\n';
    for (const std::string& name : names) out << "  - " << ForMarkdown(name) << '\n';
  }
}

using Writer =
    std::function<void(const std::vector<ResultFile>&, const ReportOptions&, std::ostream&)>;

const std::vector<std::pair<std::string, Writer>>& Writers() {
  static const std::vector<std::pair<std::string, Writer>> kWriters = {
      {"html", [](const auto& files, const auto& options,
                  auto& out) { WriteHtml(files, options.baseline, out); }},
      {"markdown", [](const auto& files, const auto& options,
                      auto& out) { WriteMarkdown(files, options.baseline, out); }},
      {"csv", [](const auto& files, const auto&, auto& out) { WriteCsv(files, out); }},
      {"openmetrics",
       [](const auto& files, const auto&, auto& out) { WriteOpenMetrics(files, out); }},
  };
  return kWriters;
}

}  // namespace

const std::vector<std::string>& ReportFormats() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const auto& [name, writer] : Writers()) names.push_back(name);
    return names;
  }();
  return kNames;
}

void WriteMarkdown(const std::vector<ResultFile>& files, const std::string& wanted_baseline,
                   std::ostream& out) {
  for (const ResultFile& file : files) {
    const Summary summary(file.results, BaselineOf(file.results, wanted_baseline));
    out << "# " << ForMarkdown(file.name) << "\n\n";
    PrintHost(file, out);
    out << "\n## Time relative to " << ForMarkdown(summary.baseline())
        << "\n\nGeometric means over the benchmarks that all runtimes have, their 95 % intervals, "
           "and the lowest and the highest of these benchmarks: 2.00 takes twice as long.\n\n";
    PrintGroups(summary, TableStyle::kMarkdown, out);
    out << "\n## Benchmarks\n\n▲ slower, ▼ faster, = no difference found, ≈ the same of too few "
           "boots to say so, ? too noisy, 1 of one boot a side: neither interval nor verdict. In "
           "parentheses is the detectable difference.\n\n"
        << kExplainComparisons << '\n';
    PrintKernels(summary, file, out);
    out << '\n';
    PrintReasons(file.results, out);
    out << "\n## Published findings\n\n";
    PrintFindings(JudgeFindings(file), "markdown", out);
  }
}

void WriteReport(const ReportOptions& options) {
  std::vector<ResultFile> files;
  for (const auto& path : options.files) {
    files.push_back(ReadResultFile(path));
    const std::string unfinished = files.back().Unfinished();
    if (!unfinished.empty()) std::cerr << "hvbench: " << unfinished << '\n';
  }
  const auto write = [&](std::ostream& out) {
    for (const auto& [name, writer] : Writers()) {
      if (name == options.format) writer(files, options, out);
    }
  };
  if (options.out.empty()) {
    write(std::cout);
    return;
  }
  std::ostringstream text;
  write(text);
  WriteFile(options.out, text.str());
}

}  // namespace hvbench

#include "benchmarks/report/compare_files.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/run_json.h"
#include "benchmarks/results/summary.h"
#include "benchmarks/text/escape.h"
#include "benchmarks/text/number_text.h"
#include "benchmarks/text/text_table.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

struct Line {
  std::string name;  // with the runtime
  std::string group;
  double baseline = 0;  // geometric means
  double other = 0;
  Comparison comparison;
};

class FileComparison {
 public:
  FileComparison(const ResultFile& a, const ResultFile& b, double threshold_percent)
      : threshold_(1 + threshold_percent / 100), quantity_(a.results.quantity()) {
    for (const ResultFile* file : {&a, &b}) {
      if (!file->Unfinished().empty()) notes_.push_back(file->Unfinished());
    }
    for (const std::string& kernel : a.results.kernels()) {
      for (const std::string& runtime : a.results.runtimes()) {
        Match(kernel, runtime, a.results.Find(kernel, runtime), b.results.Find(kernel, runtime));
      }
    }
    for (const std::string& kernel : b.results.kernels()) {
      for (const std::string& runtime : b.results.runtimes()) {
        if (b.results.Find(kernel, runtime) != nullptr &&
            a.results.Find(kernel, runtime) == nullptr) {
          notes_.push_back(Name(kernel, runtime) + " is only in " + b.name);
        }
      }
    }
  }

  const std::vector<Line>& lines() const { return lines_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& regressions() const { return regressions_; }
  const std::map<std::string, GeometricMean>& means() const { return means_; }
  const Quantity& quantity() const { return quantity_; }
  bool OfOneBoot() const {
    return std::any_of(lines_.begin(), lines_.end(), [](const Line& line) {
      return line.comparison.sampling_unit == SamplingUnit::kRepetition;
    });
  }

 private:
  static std::string Name(const std::string& kernel, const std::string& runtime) {
    return runtime.empty() ? kernel : kernel + "/runtime:" + runtime;
  }

  void Match(const std::string& kernel, const std::string& runtime, const CellResult* a,
             const CellResult* b) {
    if (a == nullptr) return;
    const std::string name = Name(kernel, runtime);
    if (b == nullptr) {
      notes_.push_back(name + " is missing in the second file");
      return;
    }
    if (!a->Measured() || !b->Measured()) {
      Unmeasured(name, *a, *b);
      return;
    }
    Line line{name, SubsystemOf(kernel) + (runtime.empty() ? "" : "/runtime:" + runtime), 0, 0,
              Compare(*a, *b, Pairing::kOtherRun)};
    line.baseline = GeometricMeanOf(*a);
    line.other = GeometricMeanOf(*b);
    const RatioEstimate& estimate = line.comparison.estimate;
    if (IsRegression(line.comparison)) {
      regressions_.push_back(name + ": " + PrintEstimate(estimate) + " times " +
                             (quantity_.name == kRealTime ? "as long" : "the " + quantity_.name));
    }
    means_[line.group].Add(estimate);
    line.comparison.estimate.replicates = {};
    lines_.push_back(std::move(line));
  }

  void Unmeasured(const std::string& name, const CellResult& a, const CellResult& b) {
    if (a.Measured() && b.outcome == Outcome::kFailed) {
      regressions_.push_back(name + ": failed: " + b.reason);
    } else if (a.Measured()) {
      notes_.push_back(name + " is skipped in the second file: " + b.reason);
    } else if (b.Measured()) {
      notes_.push_back(name + " is measured in the second file alone");
    }
  }

  bool IsRegression(const Comparison& comparison) const {
    const double ratio = comparison.estimate.ratio;
    const Verdict direction = ratio > 1 ? Verdict::kHigher : Verdict::kLower;
    // One value a side has no interval, and a regression must not hide behind that.
    const bool is_sure = comparison.verdict == direction || !comparison.estimate.interval;
    return is_sure && IsWorse(direction, quantity_) && std::max(ratio, 1 / ratio) > threshold_;
  }

  static double GeometricMeanOf(const CellResult& cell) {
    double log_sum = 0;
    const std::vector<double> values = SamplingUnitValues(cell);
    for (const double value : values) log_sum += std::log(value);
    return std::exp(log_sum / static_cast<double>(values.size()));
  }

  double threshold_;
  const Quantity& quantity_;
  std::vector<Line> lines_;
  std::vector<std::string> notes_;
  std::vector<std::string> regressions_;
  std::map<std::string, GeometricMean> means_;
};

void PrintText(const FileComparison& comparison, const CompareFilesOptions& options,
               std::ostream& out) {
  const bool markdown = options.format == "markdown";
  const Quantity& quantity = comparison.quantity();
  const TableStyle style = markdown ? TableStyle::kMarkdown : TableStyle::kText;
  TextTable table({"benchmark", "A", "cv", "B", "cv", "B by A", "verdict"});
  for (const Line& line : comparison.lines()) {
    const Comparison& c = line.comparison;
    table.Add({line.name, quantity.Print(line.baseline), PrintNumber("%.1f%%", 100 * c.baseline_cv),
               quantity.Print(line.other), PrintNumber("%.1f%%", 100 * c.other_cv),
               PrintEstimate(c.estimate), std::string(NameOf(c.verdict, quantity))});
  }
  const auto escape = markdown ? ForMarkdown : ForTerminal;
  out << "A: " << escape(options.baseline.string()) << (markdown ? "  \n" : "\n")
      << "B: " << escape(options.other.string()) << "\n\n";
  table.Print(style, out);
  TextTable means({"geometric mean", "B by A", "benchmarks"});
  for (const auto& [group, mean] : comparison.means()) {
    means.Add({group, PrintEstimate(mean.Estimate()), std::to_string(mean.count())});
  }
  out << '\n';
  means.Print(style, out);
  const auto escape_sentence = markdown ? ForMarkdown : ForTerminalLine;
  out << '\n'
      << escape_sentence(quantity.ExplainRatios()) << " Brackets are bootstrap 95 % intervals.\n";
  if (comparison.OfOneBoot()) {
    out << "Some benchmarks have one boot a side, or do not say: their intervals are of\n"
           "repetitions, and do not know how much boots differ (see --hvbench_compare).\n";
  }
  for (const std::string& note : comparison.notes()) {
    out << (markdown ? "- " : "") << escape(note) << '\n';
  }
}

void PrintJson(const FileComparison& comparison, std::ostream& out) {
  const auto estimate = [](const RatioEstimate& e) {
    OrderedJson json = {
        {"ratio", e.ratio}, {"low", nullptr}, {"high", nullptr}, {"units", e.sampling_units}};
    if (e.interval) {
      json["low"] = e.interval->low;
      json["high"] = e.interval->high;
    }
    return json;
  };
  const Quantity& quantity = comparison.quantity();
  OrderedJson benchmarks = OrderedJson::array();
  for (const Line& line : comparison.lines()) {
    OrderedJson row = {{"name", line.name}};
    row.update(estimate(line.comparison.estimate));
    row.update({{"sampling_unit", NameOf(line.comparison.sampling_unit)},
                {"verdict", NameOf(line.comparison.verdict, quantity)},
                {"a", line.baseline},
                {"b", line.other},
                {"a_cv", line.comparison.baseline_cv},
                {"b_cv", line.comparison.other_cv}});
    benchmarks.push_back(std::move(row));
  }
  OrderedJson means = OrderedJson::object();
  for (const auto& [group, mean] : comparison.means()) means[group] = estimate(mean.Estimate());
  out << OrderedJson{{"quantity", quantity.name},         {"unit", quantity.unit},
                     {"better", NameOf(quantity.better)}, {"benchmarks", benchmarks},
                     {"geometric_means", means},          {"regressions", comparison.regressions()},
                     {"notes", comparison.notes()}}
             .dump(2, ' ', false, OrderedJson::error_handler_t::replace)
      << '\n';
}

// The packages of the servers that were measured, "" if none were.
std::string Servers(const ResultFile& file) {
  constexpr std::string_view kPrefix = "applications.";
  std::string servers;
  for (const auto& [key, value] : file.context) {
    if (!key.starts_with(kPrefix) || key == "applications.id") continue;
    servers += (servers.empty() ? "" : ", ") + key.substr(kPrefix.size());
  }
  return servers;
}

}  // namespace

std::vector<std::string> Mismatches(const ResultFile& a, const ResultFile& b) {
  std::vector<std::string> sentences;
  const auto check = [&](const std::string& key, const std::string& what) {
    const std::string in_a = a.Context(key);
    const std::string in_b = b.Context(key);
    if (in_a != in_b) {
      sentences.push_back(what + " differs: " + (in_a.empty() ? "not said" : in_a) + " and " +
                          (in_b.empty() ? "not said" : in_b));
    }
  };
  check("host_name", "the machine");
  check("host_cpu_model", "the processor");
  check("num_cpus", "the number of CPUs");
  check("host_virtualization", "the host's virtualization");
  check("guest_vcpus", "the number of the guests' CPUs");
  check("guest_memory_mib", "the guests' memory");
  for (const std::string& runtime : a.results.runtimes()) {
    const auto& others = b.results.runtimes();
    if (std::find(others.begin(), others.end(), runtime) == others.end()) continue;
    check("runtime." + runtime + ".accelerator", "the accelerator of " + runtime);
  }
  // Other versions of the same servers are compared: that may be the question.
  const std::string servers = Servers(a);
  const std::string others = Servers(b);
  if (!servers.empty() && !others.empty() && servers != others) {
    sentences.push_back("the servers differ: " + servers + " and " + others);
  }
  return sentences;
}

CompareFilesStatus CompareFiles(const CompareFilesOptions& options, std::ostream& out,
                                std::ostream& err) {
  const Quantity quantity = QuantityNamed(options.quantity);
  const ResultFile a = ReadResultFile(options.baseline, quantity);
  const ResultFile b = ReadResultFile(options.other, quantity);
  for (const ResultFile* file : {&a, &b}) {
    if (!file->Unfinished().empty()) err << "hvbench: " << file->Unfinished() << '\n';
  }
  const std::vector<std::string> mismatches = Mismatches(a, b);
  for (const std::string& mismatch : mismatches) {
    err << "hvbench: " << (options.allow_mismatch ? "warning: " : "") << ForTerminal(mismatch)
        << '\n';
  }
  if (!mismatches.empty() && !options.allow_mismatch) {
    err << "hvbench: not comparable; --allow-mismatch compares them all the same\n";
    return CompareFilesStatus::kNotComparable;
  }
  const FileComparison comparison(a, b, options.threshold_percent);
  if (comparison.lines().empty() && comparison.regressions().empty()) {
    err << "hvbench: the files have no benchmark in common\n";
    return CompareFilesStatus::kNothingInCommon;
  }
  options.format == "json" ? PrintJson(comparison, out) : PrintText(comparison, options, out);
  for (const std::string& regression : comparison.regressions()) {
    err << "hvbench: regression: " << ForTerminal(regression) << '\n';
  }
  return comparison.regressions().empty() ? CompareFilesStatus::kNoRegression
                                          : CompareFilesStatus::kRegression;
}

}  // namespace hvbench

#include "benchmarks/report/compare_files.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "benchmarks/report/comparison_text.h"
#include "benchmarks/results/comparison.h"
#include "benchmarks/results/groups.h"
#include "benchmarks/results/run_json.h"
#include "benchmarks/text/escape.h"
#include "benchmarks/text/number_text.h"
#include "benchmarks/text/text_table.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

struct Line {
  std::string name;  // with the runtime
  std::string kernel;
  std::string runtime;
  double baseline = 0;  // geometric means
  double other = 0;
  Comparison comparison;
};

// A group's mean in one runtime.
struct MeanLine {
  std::string name;
  std::size_t count = 0;
  std::size_t of = 0;  // benchmarks of the group
  Interval range;      // of the benchmarks' ratios
  Comparison comparison;
};

class FileComparison {
 public:
  FileComparison(const ResultFile& a, const ResultFile& b, double threshold_percent)
      : a_(a.results), b_(b.results), threshold_(1 + threshold_percent / 100) {
    for (const ResultFile* file : {&a, &b}) {
      if (!file->Unfinished().empty()) notes_.push_back(file->Unfinished());
    }
    for (const std::string& kernel : a_.kernels()) {
      for (const std::string& runtime : a_.runtimes()) Match(kernel, runtime);
    }
    for (const std::string& kernel : b_.kernels()) {
      for (const std::string& runtime : b_.runtimes()) {
        if (b_.Find(kernel, runtime) != nullptr && a_.Find(kernel, runtime) == nullptr) {
          notes_.push_back(Name(kernel, runtime) + " is only in " + b.name);
        }
      }
    }
    for (const Group& group : GroupsOf({&a_, &b_})) AddMeans(group);
    Judge(lines_);
    Judge(means_);
    for (const Line& line : lines_) AddRegression(line);
  }

  const std::vector<Line>& lines() const { return lines_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& regressions() const { return regressions_; }
  const std::vector<MeanLine>& means() const { return means_; }
  const Quantity& quantity() const { return a_.quantity(); }
  // How many benchmarks have no interval, since a side has one boot.
  std::size_t undecided() const {
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [](const Line& line) { return line.comparison.verdict == Verdict::kOneBoot; }));
  }

 private:
  static std::string Name(const std::string& name, const std::string& runtime) {
    return runtime.empty() ? name : name + "/runtime:" + runtime;
  }

  template <typename Lines>
  static void Judge(Lines& lines) {
    std::vector<Comparison*> comparisons;
    for (auto& line : lines) comparisons.push_back(&line.comparison);
    JudgeTogether(comparisons);
  }

  void Match(const std::string& kernel, const std::string& runtime) {
    const CellResult* a = a_.Find(kernel, runtime);
    const CellResult* b = b_.Find(kernel, runtime);
    if (a == nullptr) return;
    const std::string name = Name(kernel, runtime);
    if (b == nullptr) {
      notes_.push_back(name + " is missing in the second file");
    } else if (!a->Measured() || !b->Measured()) {
      Unmeasured(name, *a, *b);
    } else {
      lines_.push_back({name, kernel, runtime, GeometricMeanOf(*a), GeometricMeanOf(*b),
                        Compare(*a, *b, Pairing::kOtherRun)});
    }
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

  void AddMeans(const Group& group) {
    for (const std::string& runtime : a_.runtimes()) {
      MeanComparison mean;
      for (const Line& line : lines_) {
        if (line.runtime == runtime &&
            std::count(group.common.begin(), group.common.end(), line.kernel) > 0) {
          mean.Add(*a_.Find(line.kernel, runtime), *b_.Find(line.kernel, runtime),
                   Pairing::kOtherRun);
        }
      }
      if (mean.count() == 0) continue;
      means_.push_back({Name(group.name, runtime), mean.count(), group.kernels.size(), mean.Range(),
                        mean.Estimate()});
    }
  }

  void AddRegression(const Line& line) {
    const double ratio = line.comparison.estimate.ratio;
    if (!IsWorse(line.comparison.verdict, quantity())) return;
    if (std::max(ratio, 1 / ratio) <= threshold_) return;
    regressions_.push_back(line.name + ": " + PrintEstimate(line.comparison.estimate) + " times " +
                           (quantity().name == kRealTime ? "as long" : "the " + quantity().name));
  }

  static double GeometricMeanOf(const CellResult& cell) {
    double log_sum = 0;
    const std::vector<double> values = SamplingUnitValues(cell);
    for (const double value : values) log_sum += std::log(value);
    return std::exp(log_sum / static_cast<double>(values.size()));
  }

  const Results& a_;
  const Results& b_;
  double threshold_;
  std::vector<Line> lines_;
  std::vector<std::string> notes_;
  std::vector<std::string> regressions_;
  std::vector<MeanLine> means_;
};

void PrintText(const FileComparison& comparison, const CompareFilesOptions& options,
               std::ostream& out) {
  const bool markdown = options.format == "markdown";
  const Quantity& quantity = comparison.quantity();
  const TableStyle style = markdown ? TableStyle::kMarkdown : TableStyle::kText;
  TextTable table({"benchmark", "A", "cv", "B", "cv", "B by A", "median", "detectable", "verdict"});
  for (const Line& line : comparison.lines()) {
    const Comparison& c = line.comparison;
    table.Add({line.name, quantity.Print(line.baseline), PrintNumber("%.1f%%", 100 * c.baseline_cv),
               quantity.Print(line.other), PrintNumber("%.1f%%", 100 * c.other_cv),
               PrintEstimate(c.estimate), PrintEstimate(c.median), PrintDetectable(c),
               std::string(NameOf(c.verdict, quantity))});
  }
  const auto escape = markdown ? ForMarkdown : ForTerminal;
  out << "A: " << escape(options.baseline.string()) << (markdown ? "  \n" : "\n")
      << "B: " << escape(options.other.string()) << "\n\n";
  table.Print(style, out);
  TextTable means({"geometric mean", "B by A", "lowest to highest", "benchmarks", "verdict"});
  for (const MeanLine& mean : comparison.means()) {
    means.Add({mean.name, PrintEstimate(mean.comparison.estimate), PrintRange(mean.range),
               std::to_string(mean.count) + " of " + std::to_string(mean.of),
               std::string(NameOf(mean.comparison.verdict, quantity))});
  }
  out << '\n';
  means.Print(style, out);
  const auto escape_sentence = markdown ? ForMarkdown : ForTerminalLine;
  out << '\n'
      << escape_sentence(quantity.ExplainRatios()) << '\n'
      << kExplainComparisons << "A mean is over the benchmarks that all runtimes have.\n";
  if (comparison.undecided() > 0) {
    out << comparison.undecided() << " of " << comparison.lines().size()
        << " benchmarks have one boot a side, or do not say: of these there is no interval\n"
           "and no verdict (see --hvbench_compare).\n";
  }
  for (const std::string& note : comparison.notes()) {
    out << (markdown ? "- " : "") << escape(note) << '\n';
  }
}

void PrintJson(const FileComparison& comparison, std::ostream& out) {
  const Quantity& quantity = comparison.quantity();
  OrderedJson benchmarks = OrderedJson::array();
  for (const Line& line : comparison.lines()) {
    OrderedJson row = {{"name", line.name}};
    row.update(ComparisonJson(line.comparison, quantity));
    row.update({{"a", line.baseline},
                {"b", line.other},
                {"a_cv", line.comparison.baseline_cv},
                {"b_cv", line.comparison.other_cv}});
    benchmarks.push_back(std::move(row));
  }
  OrderedJson means = OrderedJson::object();
  for (const MeanLine& mean : comparison.means()) {
    means[mean.name] = ComparisonJson(mean.comparison, quantity);
    means[mean.name].update({{"benchmarks", mean.count},
                             {"of", mean.of},
                             {"lowest", mean.range.low},
                             {"highest", mean.range.high}});
  }
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
  if (!comparison.regressions().empty()) return CompareFilesStatus::kRegression;
  if (comparison.undecided() == comparison.lines().size()) {
    err << "hvbench: nothing is decided: no benchmark has several boots in both files; measure "
           "with --hvbench_compare\n";
    return CompareFilesStatus::kNothingDecided;
  }
  return CompareFilesStatus::kNoRegression;
}

}  // namespace hvbench

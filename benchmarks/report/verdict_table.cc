#include "benchmarks/report/verdict_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/text/escape.h"
#include "benchmarks/text/number_text.h"

namespace hvbench {

void PrintSubsystems(const Summary& summary, TableStyle style, std::ostream& out) {
  std::vector<std::string> heading = {"subsystem"};
  for (const std::string& runtime : summary.results().runtimes()) {
    if (runtime != summary.baseline()) heading.push_back(runtime);
  }
  TextTable table(heading);
  for (const std::string& subsystem : summary.subsystems()) {
    std::vector<std::string> row = {subsystem};
    for (std::size_t i = 1; i < heading.size(); ++i) {
      const SubsystemSummary* cell = summary.FindSubsystem(subsystem, heading[i]);
      const bool known = cell != nullptr && cell->mean.count() > 0;
      row.push_back(known ? PrintEstimate(cell->mean.Estimate()) : "");
    }
    table.Add(std::move(row));
  }
  table.Print(style, out);
}

void PrintVerdicts(const Summary& summary, std::ostream& out) {
  const Results& results = summary.results();
  TextTable table({"benchmark", "runtime", summary.baseline(), "ratio [95 %]", "cv", "baseline cv",
                   "sampling units", "verdict"});
  const Quantity& quantity = results.quantity();
  std::size_t fewest = 0;
  for (const std::string& kernel : results.kernels()) {
    for (const std::string& runtime : results.runtimes()) {
      const Comparison* comparison = summary.Find(kernel, runtime);
      if (comparison == nullptr) continue;
      const std::size_t sampling_units = comparison->estimate.sampling_units;
      fewest = fewest == 0 ? sampling_units : std::min(fewest, sampling_units);
      const double value = SpreadOf(results.Find(kernel, summary.baseline())->Values()).median;
      table.Add({kernel, runtime, quantity.Print(value), PrintEstimate(comparison->estimate),
                 PrintNumber("%.1f%%", 100 * comparison->other_cv),
                 PrintNumber("%.1f%%", 100 * comparison->baseline_cv),
                 std::to_string(sampling_units) + " " +
                     std::string(NameOf(comparison->sampling_unit)) + "s",
                 std::string(NameOf(comparison->verdict, quantity))});
    }
  }
  if (table.empty()) return;
  out << '\n'
      << "Relative to " << ForTerminalLine(summary.baseline())
      << ", with bootstrap 95 % intervals; cv is the coefficient of variation of the boots.\n"
      << ForTerminalLine(quantity.ExplainRatios()) << "\n\n";
  table.Print(TableStyle::kText, out);
  out << "\nGeometric means\n\n";
  PrintSubsystems(summary, TableStyle::kText, out);
  if (fewest < kMinBootstrapSamplingUnits) {
    out << "\nBelow " << kMinBootstrapSamplingUnits
        << " sampling units intervals are Student's: the bootstrap needs that many\n";
  }
}

}  // namespace hvbench

#include "benchmarks/report/verdict_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/escape.h"
#include "benchmarks/results/number_text.h"

namespace hvbench {

void PrintVerdicts(const Summary& summary, std::ostream& out) {
  const Results& results = summary.results();
  TextTable table({"benchmark", "runtime", summary.baseline(), "ratio [95 %]", "cv", "baseline cv",
                   "units", "verdict"});
  std::size_t fewest = 0;
  for (const std::string& kernel : results.kernels()) {
    for (const std::string& runtime : results.runtimes()) {
      const Comparison* comparison = summary.Find(kernel, runtime);
      if (comparison == nullptr) continue;
      const std::size_t units = comparison->estimate.units;
      fewest = fewest == 0 ? units : std::min(fewest, units);
      const double ns = SpreadOf(results.Find(kernel, summary.baseline())->RealNs()).median;
      table.Add({kernel, runtime, PrintTime(ns), PrintEstimate(comparison->estimate),
                 PrintNumber("%.1f%%", 100 * comparison->other_cv),
                 PrintNumber("%.1f%%", 100 * comparison->baseline_cv),
                 std::to_string(units) + " " + std::string(NameOf(comparison->unit)) + "s",
                 std::string(NameOf(comparison->verdict))});
    }
  }
  if (table.empty()) return;
  const bool time = results.quantity() == kRealTime;
  out << '\n'
      << (time ? "Time" : ForTerminalLine(results.quantity())) << " of one iteration relative to "
      << ForTerminalLine(summary.baseline())
      << " (2.00 takes twice as long), with bootstrap 95 % intervals;\n"
         "cv is the coefficient of variation of the boots\n\n";
  table.Print(TableStyle::kText, out);
  out << "\nGeometric means\n\n";
  PrintSubsystems(summary, TableStyle::kText, out);
  if (fewest < kMinBootstrapUnits) {
    out << "\nBelow " << kMinBootstrapUnits
        << " units intervals are Student's: the bootstrap needs that many\n";
  }
}

}  // namespace hvbench

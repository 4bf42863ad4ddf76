#include "benchmarks/report/verdict_table.h"

#include <string>
#include <utility>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/comparison_text.h"
#include "benchmarks/text/escape.h"

namespace hvbench {

void PrintGroups(const Summary& summary, TableStyle style, std::ostream& out) {
  std::vector<std::string> heading = {"group", "benchmarks"};
  const std::size_t first = heading.size();
  for (const std::string& runtime : summary.results().runtimes()) {
    if (runtime != summary.baseline()) heading.push_back(runtime);
  }
  TextTable table(heading);
  for (const Group& group : summary.groups()) {
    std::vector<std::string> row = {group.name, std::to_string(group.common.size()) + " of " +
                                                    std::to_string(group.kernels.size())};
    for (std::size_t i = first; i < heading.size(); ++i) {
      const GroupSummary* cell = summary.FindGroup(group.name, heading[i]);
      const bool known = cell != nullptr && cell->mean.has_value();
      row.push_back(known ? PrintEstimate(cell->mean->estimate) + ", " + PrintRange(cell->range)
                          : "");
    }
    table.Add(std::move(row));
  }
  table.Print(style, out);
}

void PrintVerdicts(const Summary& summary, std::ostream& out) {
  const Results& results = summary.results();
  TextTable table({"benchmark", "runtime", summary.baseline(), "ratio [95 %]", "median [95 %]",
                   "lowest to highest", "of", "detectable", "verdict"});
  const Quantity& quantity = results.quantity();
  for (const std::string& kernel : results.kernels()) {
    for (const std::string& runtime : results.runtimes()) {
      const Comparison* comparison = summary.Find(kernel, runtime);
      if (comparison == nullptr) continue;
      const std::size_t units = comparison->estimate.sampling_units;
      const double value = SpreadOf(results.Find(kernel, summary.baseline())->Values()).median;
      table.Add({kernel, runtime, quantity.Print(value), PrintEstimate(comparison->estimate),
                 PrintEstimate(comparison->median), PrintRange(comparison->range),
                 std::to_string(units) + ' ' + std::string(NameOf(comparison->sampling_unit)) +
                     (units == 1 ? "" : "s"),
                 PrintDetectable(*comparison), std::string(NameOf(comparison->verdict, quantity))});
    }
  }
  if (table.empty()) return;
  out << "\nRelative to " << ForTerminalLine(summary.baseline()) << ". "
      << ForTerminalLine(quantity.ExplainRatios()) << '\n'
      << kExplainComparisons << '\n';
  table.Print(TableStyle::kText, out);
  out << "\nGeometric means over the benchmarks that all runtimes have, the lowest and the highest "
         "of them\n\n";
  PrintGroups(summary, TableStyle::kText, out);
}

}  // namespace hvbench

#include "benchmarks/selftest.h"
#include "benchmarks/text/text_table.h"

#include <algorithm>
#include <utility>

#include "benchmarks/results/summary.h"
#include "benchmarks/text/number_text.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

void Count(const Comparison& comparison, SelftestCount& count) {
  ++count.comparisons;
  const auto& interval = comparison.estimate.interval;
  count.outside += interval && (interval->low > 1 || interval->high < 1) ? 1 : 0;
  count.called_slower += comparison.verdict == Verdict::kHigher ? 1 : 0;
  count.called_faster += comparison.verdict == Verdict::kLower ? 1 : 0;
  count.too_noisy += comparison.verdict == Verdict::kTooNoisy ? 1 : 0;
}

std::string Share(int part, int whole) {
  return std::to_string(part) + PrintNumber(" (%.1f%%)", whole > 0 ? 100.0 * part / whole : 0);
}

}  // namespace

std::string TwinOf(const std::string& runtime) { return runtime + ".again"; }

double SelftestCount::FalsePositiveRate() const {
  return comparisons > 0 ? static_cast<double>(called_slower + called_faster) / comparisons : 0;
}

SelftestCount RunSelftest(const std::string& runtime, const std::vector<CellName>& cells,
                          ComparisonPlan plan, int rounds, GuestPool& pool,
                          const std::function<void(const std::string&)>& say) {
  SelftestCount count;
  count.runtime = runtime;
  plan.baseline = runtime;
  std::vector<CellName> both;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(both), [&](const CellName& cell) {
    return cell.runtime == runtime || cell.runtime == TwinOf(runtime);
  });
  for (int round = 1; round <= rounds && !InterruptRequested(); ++round) {
    const std::string prefix =
        runtime + ", round " + std::to_string(round) + " of " + std::to_string(rounds) + ", ";
    ComparisonRun run(both, plan, pool, [&](const std::string& line) { say(prefix + line); });
    run.Run();
    for (const std::string& problem : run.problems()) say(problem);
    if (InterruptRequested()) break;
    const Summary summary(run.results(), runtime);
    for (const std::string& kernel : run.results().kernels()) {
      if (const Comparison* found = summary.Find(kernel, TwinOf(runtime))) Count(*found, count);
    }
  }
  return count;
}

void PrintSelftest(const std::vector<SelftestCount>& counts, std::ostream& out) {
  TextTable table({"runtime against itself", "comparisons", "intervals without 1", "called slower",
                   "called faster", "false positives", "too noisy"});
  for (const SelftestCount& count : counts) {
    table.Add({count.runtime, std::to_string(count.comparisons),
               Share(count.outside, count.comparisons), std::to_string(count.called_slower),
               std::to_string(count.called_faster),
               PrintNumber("%.1f%%", 100 * count.FalsePositiveRate()),
               Share(count.too_noisy, count.comparisons)});
  }
  table.Print(TableStyle::kText, out);
}

}  // namespace hvbench

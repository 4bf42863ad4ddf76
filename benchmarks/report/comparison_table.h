// The table at the end of a run: rows are kernels, columns are runtimes, cells are ratios.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "benchmarks/results/results.h"

namespace hvbench {

// The median, and the distance of the values from it: half of (maximum - minimum).
struct Spread {
  double median = 0;
  double half_range = 0;
};
// Precondition: there are values.
Spread SpreadOf(std::vector<double> values);

// Time relative to `baseline` (1.00 is as fast, 2.00 takes twice as long), with the half range of
// the repetitions of both sides in percent. Writes nothing unless two runtimes were measured. Where
// the baseline itself was not measured, cells are times.
void PrintComparison(const Results& results, const std::string& baseline, std::ostream& out);

}  // namespace hvbench

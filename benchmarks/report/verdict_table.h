// The table at the end of a comparison: a line for each benchmark and each runtime but the
// baseline.
#pragma once

#include <ostream>

#include "benchmarks/results/summary.h"
#include "benchmarks/text/text_table.h"

namespace hvbench {

// With the geometric means of the groups below. Writes nothing if no two sides were measured.
void PrintVerdicts(const Summary& summary, std::ostream& out);

// The geometric means, a row a group and a column a runtime, over the benchmarks that all of these
// runtimes have, with the range of the benchmarks' ratios.
void PrintGroups(const Summary& summary, TableStyle style, std::ostream& out);

}  // namespace hvbench

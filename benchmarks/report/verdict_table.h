// The table at the end of a comparison: a line for each benchmark and each runtime but the
// baseline.
#pragma once

#include <ostream>

#include "benchmarks/results/summary.h"
#include "benchmarks/text/text_table.h"

namespace hvbench {

// With the geometric means of the subsystems below. Writes nothing if no two sides were measured.
void PrintVerdicts(const Summary& summary, std::ostream& out);

// The geometric means, a row a subsystem and a column a runtime.
void PrintSubsystems(const Summary& summary, TableStyle style, std::ostream& out);

}  // namespace hvbench

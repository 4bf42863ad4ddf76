// The published findings and what a file of results says to them, as text.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "benchmarks/results/findings.h"

namespace hvbench {

// `format`: text, markdown or json.
void PrintFindings(const std::vector<FindingResult>& findings, const std::string& format,
                   std::ostream& out);

}  // namespace hvbench

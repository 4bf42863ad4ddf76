// A comparison as people and programs read it.
#pragma once

#include <string>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/run_json.h"

namespace hvbench {

// "1.03 [1.01, 1.05]", or the ratio alone where there is no interval.
std::string PrintEstimate(const RatioEstimate& estimate);
std::string PrintEstimate(const MedianEstimate& estimate);
// "0.97 to 1.21"
std::string PrintRange(const Interval& range);
// "3.2%", of a comparison's detectable ratio; "" without one.
std::string PrintDetectable(const Comparison& comparison);

// What the columns of a table of comparisons mean: sentences, in lines of a terminal.
inline constexpr char kExplainComparisons[] =
    "Brackets are 95 % intervals of one comparison alone. Verdicts are judged together: of those\n"
    "that call something different at most 5 % are expected to be wrong (Benjamini and Hochberg).\n"
    "A difference of the size detectable would have been found with a probability of at least\n"
    "80 %. Below 29 boots a guest that is slow in one boot of ten may not have been met: \"too "
    "few\n"
    "boots\" where no difference was found.\n";

// Its fields are those of `hvbench compare --format=json` (docs/comparison.md).
OrderedJson ComparisonJson(const Comparison& comparison, const Quantity& quantity);

}  // namespace hvbench

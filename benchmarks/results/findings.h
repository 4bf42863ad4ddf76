// What published measurements found, and what a run says to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/result_file.h"

namespace hvbench {

enum class FindingStatus {
  kConfirmed,    // every claim that was measured holds
  kRefuted,      // some claim does not
  kUndecided,    // measured, and the interval holds the bound
  kNotMeasured,  // here: a runtime or a kernel is missing, or emulated
};

std::string_view NameOf(FindingStatus status);

// One ratio that a finding claims.
struct ClaimResult {
  std::string runtime;
  std::string baseline;
  std::string quantity;  // as QuantityNamed takes it
  std::string expected;  // "from 7.5 to 30"
  FindingStatus status = FindingStatus::kNotMeasured;
  std::string why;                        // "" if it was decided
  std::optional<RatioEstimate> measured;  // of the quantity; a geometric mean of several benchmarks
  std::vector<std::string> kernels;
};

struct FindingResult {
  int number = 0;
  std::string subsystem;
  std::string statement;
  std::string source;
  std::string grade;  // "primary", "secondary" or "hypothesis"
  FindingStatus status = FindingStatus::kNotMeasured;
  std::vector<ClaimResult> claims;
};

// All that this program knows (findings.json), judged by the file. Emulated runtimes decide
// nothing.
std::vector<FindingResult> JudgeFindings(const ResultFile& file);

}  // namespace hvbench

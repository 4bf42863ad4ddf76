// `hvbench compare A.json B.json`: what changed between two runs, for people and for CI.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "benchmarks/results/result_file.h"

namespace hvbench {

enum class CompareFilesStatus {
  kNoRegression,
  kRegression,      // some: they are named
  kNotComparable,   // the files must not be compared
  kNothingDecided,  // no benchmark has several boots in both
  kNothingInCommon  // they have no benchmark in common
};

struct CompareFilesOptions {
  std::filesystem::path baseline;
  std::filesystem::path other;
  double threshold_percent = 5;      // a benchmark that got worse by more than that is a regression
  std::string quantity = kRealTime;  // as QuantityNamed takes it
  bool allow_mismatch = false;       // compare although machine, emulation or shape differ
  std::string format = "text";       // or "markdown", "json"
};

// What makes two files no fair comparison: sentences.
std::vector<std::string> Mismatches(const ResultFile& a, const ResultFile& b);

// Throws Error for a file that cannot be read.
CompareFilesStatus CompareFiles(const CompareFilesOptions& options, std::ostream& out,
                                std::ostream& err);

}  // namespace hvbench

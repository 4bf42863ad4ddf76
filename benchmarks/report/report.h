// `hvbench report`: what files of results say, as a page, tables or metrics.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "benchmarks/results/result_file.h"

namespace hvbench {

struct ReportOptions {
  std::vector<std::filesystem::path> files;
  std::filesystem::path out;  // empty: standard output
  std::string format = "html";
  std::string baseline = "native";
};

// The formats, in the order in which --help lists them.
const std::vector<std::string>& ReportFormats();

// Throws Error for a file that cannot be read or written.
void WriteReport(const ReportOptions& options);

// One page without anything outside of it.
void WriteHtml(const std::vector<ResultFile>& files, const std::string& baseline,
               std::ostream& out);
// A row a repetition, a column a counter.
void WriteCsv(const std::vector<ResultFile>& files, std::ostream& out);
void WriteMarkdown(const std::vector<ResultFile>& files, const std::string& baseline,
                   std::ostream& out);
// The text format of Prometheus, as OpenMetrics 1.0 has it.
void WriteOpenMetrics(const std::vector<ResultFile>& files, std::ostream& out);

}  // namespace hvbench

// Files that Google Benchmark wrote as JSON, by this program or another; and the journals of runs
// that did not finish.
#pragma once

#include <filesystem>
#include <istream>
#include <map>
#include <string>

#include "benchmarks/results/results.h"

namespace hvbench {

struct ResultFile {
  std::string name;                            // for people: where it was read from
  std::map<std::string, std::string> context;  // numbers and the like as their JSON
  Results results;

  // "" if the context has no such key.
  std::string Context(const std::string& key) const;
  // Whether that runtime's guests were emulated: its name ends in "-tcg", or its accelerator says
  // so.
  bool Emulated(const std::string& runtime) const;
  // Whether its guests were virtual machines inside of one.
  bool Nested(const std::string& runtime) const;
  // A sentence for people if it is a journal, else "".
  std::string Unfinished() const;
};

// Names that are not ours are taken whole, with an empty runtime. Where a benchmark has only
// aggregates, its median (else its mean) stands for it. Throws Error that names the file.
ResultFile ReadResultFile(const std::filesystem::path& path, const Quantity& quantity = {});
ResultFile ParseResultFile(std::istream& stream, const std::string& name,
                           const Quantity& quantity = {});

}  // namespace hvbench

// The document describes the kernels that exist, each in the unit that it has.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent {
namespace {

std::string Trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" `");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" `") - first + 1);
}

// The first two columns of each row that begins with a name in code quotes: name and unit.
std::map<std::string, std::string> DocumentedUnits() {
  std::map<std::string, std::string> units;
  std::stringstream documents;
  for (const char* path : {HVBENCH_KERNELS_MD}) documents << std::ifstream(path).rdbuf();
  for (std::string line; std::getline(documents, line);) {
    if (!line.starts_with("| `")) continue;
    const std::size_t second = line.find('|', 1);
    const std::size_t third = line.find('|', second + 1);
    if (third == std::string::npos) continue;
    units[Trimmed(line.substr(1, second - 1))] =
        Trimmed(line.substr(second + 1, third - second - 1));
  }
  return units;
}

TEST(Documentation, NamesExactlyTheKernelsThatExist) {
  std::map<std::string, std::string> existing;
  for (const KernelSpec& spec : AllKernels()) existing[spec.name] = spec.unit;
  EXPECT_EQ(DocumentedUnits(), existing);
}

}  // namespace
}  // namespace hvbench::agent

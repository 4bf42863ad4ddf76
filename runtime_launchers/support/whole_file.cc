#include "runtime_launchers/support/whole_file.h"

#include <fstream>
#include <iterator>

#include "runtime_launchers/support/error.h"

namespace hvbench {

std::string WholeFile(const std::filesystem::path& file, const std::string& what) try {
  std::ifstream stream(file, std::ios::binary);
  // Throws at once where it could not be opened.
  stream.exceptions(std::ios::failbit | std::ios::badbit);
  return {std::istreambuf_iterator<char>(stream), {}};
} catch (const std::ios::failure&) {
  throw Error("cannot read the " + what + " " + file.string());
}

}  // namespace hvbench

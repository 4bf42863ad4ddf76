#include "tests/unit/runtime_launchers/support/temporary_dir.h"

#include <cerrno>
#include <cstdlib>

#include "runtime_launchers/support/error.h"

namespace hvbench {

TemporaryDir::TemporaryDir() {
  char pattern[] = "/tmp/hvbench-unit-XXXXXX";
  if (mkdtemp(pattern) == nullptr) throw SystemError("cannot make a directory", errno);
  path_ = pattern;
}

TemporaryDir::~TemporaryDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hvbench

// Where tests keep files that are to lie on a disk.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "fixtures/host_disk.h"

namespace hvbench::test {

// $TMPDIR; else /tmp, or where that is in memory, as in Debian 13, /var/tmp.
inline std::filesystem::path DiskFolder() {
  if (const char* named = std::getenv("TMPDIR"); named != nullptr && *named == '/') return named;
  return MemoryFileSystemOf("/tmp").empty() ? "/tmp" : "/var/tmp";
}

}  // namespace hvbench::test

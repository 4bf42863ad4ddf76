// What a test leaves of a folder whose program it killed.
#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <system_error>

namespace hvbench::test {

// With what is mounted below it, as a killed program leaves it. What cannot be removed stays.
inline void RemoveFolder(const std::filesystem::path& folder) {
  std::error_code ignored;
  // At each folder before what is in it, so that nothing that is mounted there is reached.
  for (auto at = std::filesystem::recursive_directory_iterator(folder, ignored);
       at != std::filesystem::recursive_directory_iterator(); at.increment(ignored)) {
    if (at->is_directory(ignored)) umount2(at->path().c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace hvbench::test

// Files that are read as a whole: programs, images, configurations.
#pragma once

#include <filesystem>
#include <string>

namespace hvbench {

// All bytes of `file`. Throws Error "cannot read the `what` `file`".
std::string WholeFile(const std::filesystem::path& file, const std::string& what);

}  // namespace hvbench

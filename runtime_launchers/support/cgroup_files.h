// Reading and writing the files of a control group.
#pragma once

#include <filesystem>
#include <string>

namespace hvbench {

// "" if unreadable. Without the trailing newline.
std::string ReadCgroupFile(const std::filesystem::path& file);

// SystemError, with what to do, if the kernel refuses it.
void WriteCgroupFile(const std::filesystem::path& file, const std::string& text);

// Does nothing for one that is there. SystemError, with what to do.
void MakeCgroupDirectory(const std::filesystem::path& dir);

}  // namespace hvbench

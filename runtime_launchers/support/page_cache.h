// Making files cold: out of the page cache, so that the next reader waits for the disk. Only the
// files that are named; /proc/sys/vm/drop_caches would slow down everything else on the machine as
// well, and would measure how much of the host a boot touches by accident.
#pragma once

#include <cstdint>
#include <filesystem>

namespace hvbench {

// Bytes of the file that are in the page cache. Throws SystemError if it cannot be read.
std::int64_t CachedBytes(const std::filesystem::path& file);

// Writes a file back to its disk and evicts it. Throws CannotRunHere if more than a twentieth of it
// stays: some process has it mapped, or its file system is memory.
void EvictFromPageCache(const std::filesystem::path& file);

// Evicts a program, and of the shared libraries that it loads what no other process has mapped.
void EvictProgram(const std::filesystem::path& binary);

}  // namespace hvbench

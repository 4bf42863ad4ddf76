#include "runtime_launchers/support/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/unique_fd.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kListTimeout = std::chrono::seconds(5);

UniqueFd OpenToRead(const fs::path& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw SystemError("cannot open " + file.string(), errno);
  return fd;
}

std::int64_t SizeOf(const UniqueFd& fd) {
  struct stat info = {};
  return fstat(fd.get(), &info) == 0 ? info.st_size : 0;
}

std::int64_t CachedBytesOf(const UniqueFd& fd, const fs::path& file) {
  const auto size = static_cast<std::size_t>(SizeOf(fd));
  if (size == 0) return 0;
  void* const start = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (start == MAP_FAILED) throw SystemError("cannot map " + file.string(), errno);
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page_bytes - 1) / page_bytes);
  const int result = mincore(start, size, pages.data());
  const int error = errno;
  munmap(start, size);
  if (result != 0) throw SystemError("cannot see what is cached of " + file.string(), error);
  std::size_t cached = 0;
  for (const unsigned char page : pages) cached += page & 1;
  return static_cast<std::int64_t>(cached * page_bytes);
}

// False if more than a twentieth stays.
bool TryEvict(const fs::path& file) {
  const UniqueFd fd = OpenToRead(file);
  constexpr int kAttempts = 5;  // pages on their way to a list are missed by the first
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) Pause(std::chrono::milliseconds(2), /*interruptible=*/false);
    fsync(fd.get());  // dirty pages are not evicted
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    if (CachedBytesOf(fd, file) * 20 <= SizeOf(fd)) return true;
  }
  return false;
}

// Nothing for a static one. ldd(1) prints "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)".
std::vector<fs::path> SharedLibrariesOf(const fs::path& binary) {
  const auto ldd = FindExecutable("ldd");
  if (!ldd) return {};
  const CommandResult listed =
      RunCommand({ldd->string(), binary.string()}, Deadline::In(kListTimeout));
  std::vector<fs::path> libraries;
  std::istringstream words(listed.status.success() ? listed.output : "");
  for (std::string word; words >> word;) {
    if (word.starts_with('/') && fs::is_regular_file(word)) libraries.emplace_back(word);
  }
  return libraries;
}

}  // namespace

std::int64_t CachedBytes(const fs::path& file) { return CachedBytesOf(OpenToRead(file), file); }

void EvictFromPageCache(const fs::path& file) {
  if (TryEvict(file)) return;
  throw CannotRunHere("the page cache does not let go of " + file.string() +
                      ": a process has it mapped, or it lies in memory");
}

void EvictProgram(const fs::path& binary) {
  for (const fs::path& library : SharedLibrariesOf(binary)) TryEvict(library);
  EvictFromPageCache(binary);
}

}  // namespace hvbench

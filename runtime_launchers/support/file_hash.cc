#include "runtime_launchers/support/file_hash.h"

#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {
namespace {

// Device, inode, size, change time in seconds and nanoseconds.
using FileIdentity = std::tuple<dev_t, ino_t, off_t, time_t, long>;

std::string HexDigest(sha256_ctx& context) {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), digest.data());
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::string HashContent(int fd, const std::filesystem::path& file) {
  sha256_ctx context;
  sha256_init(&context);
  std::vector<std::uint8_t> buffer(256 * 1024);
  while (true) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw SystemError("cannot read " + file.string(), errno);
    if (n == 0) break;
    sha256_update(&context, static_cast<std::size_t>(n), buffer.data());
  }
  return HexDigest(context);
}

}  // namespace

std::string Sha256OfFile(const std::filesystem::path& file) {
  static std::mutex mutex;
  static std::map<FileIdentity, std::string> known;  // guarded by mutex
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info = {};
  if (!fd || fstat(fd.get(), &info) != 0) throw SystemError("cannot open " + file.string(), errno);
  const FileIdentity identity{info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec,
                              info.st_ctim.tv_nsec};
  const std::lock_guard lock(mutex);
  const auto found = known.find(identity);
  if (found != known.end()) return found->second;
  return known[identity] = HashContent(fd.get(), file);
}

std::string Sha256OfText(std::string_view text) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  return HexDigest(context);
}

}  // namespace hvbench

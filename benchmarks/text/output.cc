#include "benchmarks/text/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0666;  // less the umask

[[noreturn]] void Fail(const fs::path& file, int error) {
  throw OutputError("cannot write to " + file.string() + ": " + strerror(error));
}

// Where symbolic links lead, though nothing may be there.
fs::path Resolve(fs::path file) {
  constexpr int kMaxLinks = 40;  // as the kernel follows
  std::error_code error;
  for (int i = 0; i < kMaxLinks && fs::is_symlink(fs::symlink_status(file, error)); ++i) {
    file = file.parent_path() / fs::read_symlink(file, error);
  }
  return file;
}

fs::path Beside(const fs::path& file) { return file.string() + ".tmp"; }

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// Also to the disk, where there is one.
void WriteAll(const UniqueFd& fd, std::string_view text, const fs::path& file) {
  while (!text.empty()) {
    const ssize_t written = write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(file, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  // A device or a pipe has none.
  if (fsync(fd.get()) != 0 && errno != EINVAL && errno != EROFS) Fail(file, errno);
}

void WriteInPlace(const fs::path& file, std::string_view text) {
  UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (!fd) Fail(file, errno);
  WriteAll(fd, text, file);
  if (close(fd.Release()) != 0) Fail(file, errno);
}

// A new file at that place, with the owner and the mode of `like` if that is there.
UniqueFd CreateLike(const fs::path& file, const fs::path& like) {
  unlink(file.c_str());  // of a run that was killed meanwhile
  UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!fd) Fail(file, errno);
  struct stat old = {};
  if (stat(like.c_str(), &old) == 0) {
    // Who may not give a file away keeps it.
    if (fchown(fd.get(), old.st_uid, old.st_gid) == 0) fchmod(fd.get(), old.st_mode & 07777);
  }
  return fd;
}

}  // namespace

void SyncFolder(const fs::path& dir) {
  const UniqueFd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) fsync(fd.get());
}

void OpenStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free is this one. Standard output only to read: writes to it fail.
    // Those to standard error do not, since nobody could be told.
    const int opened = open("/dev/null", fd == STDERR_FILENO ? O_RDWR : O_RDONLY);
    if (opened >= 0 && opened != fd) close(opened);
  }
}

void FlushStandardOutput() {
  std::cout.flush();
  const bool written = std::fflush(stdout) == 0 && std::cout.good();
  if (!written) {
    throw OutputError(
        "could not write all of the standard output; is it closed, or the disk full?");
  }
}

bool IsReplaceable(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  return !fs::exists(status) || fs::is_regular_file(status);
}

void CheckWritable(const fs::path& file) {
  if (file.empty()) return;
  const fs::path target = Resolve(file);
  if (fs::is_directory(target)) Fail(file, EISDIR);
  if (IsReplaceable(target)) {
    CreateLike(Beside(target), target);
    unlink(Beside(target).c_str());
  }
  if (fs::exists(target) && access(target.c_str(), W_OK) != 0) Fail(file, errno);
}

void WriteFile(const fs::path& file, std::string_view text) {
  if (!IsReplaceable(file)) return WriteInPlace(file, text);
  const fs::path target = Resolve(file);
  const fs::path unfinished = Beside(target);
  try {
    UniqueFd fd = CreateLike(unfinished, target);
    WriteAll(fd, text, file);
    if (close(fd.Release()) != 0) Fail(file, errno);
  } catch (const OutputError&) {
    unlink(unfinished.c_str());
    throw;
  }
  if (rename(unfinished.c_str(), target.c_str()) != 0) {
    const int error = errno;
    unlink(unfinished.c_str());
    if (error != EBUSY) Fail(file, error);
    WriteInPlace(target, text);  // a file that is itself a mount, as containers are given
  }
  SyncFolder(FolderOf(target));
}

}  // namespace hvbench

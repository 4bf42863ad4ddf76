#include "runtime_launchers/support/cgroup_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {
namespace {

SystemError Refusal(const std::string& what, int code) {
  switch (code) {
    case EROFS:
      return {what +
                  " (cgroups are read-only here, as they are in a container: docker run "
                  "--privileged makes them writable)",
              code};
    case EACCES:
    case EPERM:
      return {what + " (run as root, or by systemd-run --user --scope -p Delegate=yes)", code};
    default:
      return {what, code};
  }
}

}  // namespace

std::string ReadCgroupFile(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

void WriteCgroupFile(const std::filesystem::path& file, const std::string& text) {
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw Refusal("cannot write '" + text + "' to " + file.string(), errno);
  }
}

void MakeCgroupDirectory(const std::filesystem::path& dir) {
  if (mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) {
    // A file system that is read-only says so of a folder that is there, too.
    const int code = errno;
    std::error_code error;
    if (std::filesystem::is_directory(dir, error)) return;
    throw Refusal("cannot make the cgroup " + dir.string(), code);
  }
}

}  // namespace hvbench

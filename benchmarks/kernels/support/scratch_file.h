// A small file on the guest's root file system that lives as long as its owner.
#pragma once

#include <string>

#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {

class ScratchFile {
 public:
  // For Prepare. The name holds the process's number, so that two agents can share a directory.
  ScratchFile(const Context& context, std::string_view content)
      : path_(context.scratch_dir() + "/hvbench-kernel-" + std::to_string(getpid())) {
    const int fd = open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) ThrowUnavailable("cannot make " + path_, errno);
    const UniqueFd file(fd);
    if (write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
      const int error = errno;
      unlink(path_.c_str());
      throw KernelFailed("cannot write " + path_, error);
    }
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { unlink(path_.c_str()); }

  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

}  // namespace hvbench::agent::kernels

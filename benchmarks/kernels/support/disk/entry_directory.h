// A directory with many entries, for the kernels that time operations on names. All names are
// relative to it, so that the depth of its path, which differs from runtime to runtime, does not
// count.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "benchmarks/kernels/support/disk/target.h"

namespace hvbench::agent::kernels {

// "f00000042"
class EntryName {
 public:
  EntryName(char kind, std::uint64_t number) {
    std::snprintf(text_.data(), text_.size(), "%c%08llu", kind,
                  static_cast<unsigned long long>(number % 100'000'000));
  }
  const char* get() const { return text_.data(); }

 private:
  std::array<char, 16> text_{};
};

class EntryDirectory {
 public:
  // For Prepare; empty.
  explicit EntryDirectory(const Context& context) : path_(TargetPath(context)) {
    RequireAvailable(mkdir(path_.c_str(), 0700), ("cannot make " + path_).c_str());
    const int fd = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      const int error = errno;
      rmdir(path_.c_str());
      throw KernelFailed("cannot open " + path_, error);
    }
    fd_ = UniqueFd(fd);
  }
  EntryDirectory(const EntryDirectory&) = delete;
  EntryDirectory& operator=(const EntryDirectory&) = delete;
  ~EntryDirectory() {
    ForEachName([this](const char* name) { unlinkat(fd(), name, 0); });
    rmdir(path_.c_str());
  }

  int fd() const { return fd_.get(); }

  // Whether an empty file of that name was made.
  bool Create(const EntryName& name) const {
    const int fd = openat(fd_.get(), name.get(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && close(fd) == 0;
  }

  // For Prepare: `count` files.
  void CreateMany(char kind, std::uint64_t count) const {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!Create({kind, i})) throw KernelFailed("cannot make a file in " + path_, errno);
    }
  }

  // For Prepare: `count` names of one file, where names are all that matters. Much faster: ext4
  // takes half a millisecond to find an inode for a new file where many were removed shortly
  // before.
  void LinkMany(char kind, std::uint64_t count) const {
    const EntryName first(kind, 0);
    CreateMany(kind, std::min<std::uint64_t>(count, 1));
    for (std::uint64_t i = 1; i < count; ++i) {
      RequireAvailable(linkat(fd(), first.get(), fd(), EntryName(kind, i).get(), 0), "linkat");
    }
  }

  // All that are there, but for "." and "..".
  template <typename Visit>
  void ForEachName(Visit&& visit) const {
    const int again = openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(again < 0 ? nullptr : fdopendir(again),
                                                      &closedir);
    while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
      if (entry->d_name[0] != '.') visit(entry->d_name);
    }
  }

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace hvbench::agent::kernels

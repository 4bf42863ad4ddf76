#include "benchmarks/kernels/support/disk/target.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hvbench::agent::kernels {
namespace {

bool IsInMemory(const struct statfs& file_system) {
  return file_system.f_type == TMPFS_MAGIC || file_system.f_type == RAMFS_MAGIC;
}

struct statfs StatFs(const std::string& path) {
  struct statfs file_system {};
  if (statfs(path.c_str(), &file_system) != 0) ThrowUnavailable("statfs of " + path, errno);
  return file_system;
}

// Not the scratch directory: it is a part of the root file system.
std::string TmpfsDirectory() {
  for (const char* path : {"/tmp", "/dev/shm"}) {
    struct statfs file_system {};
    if (statfs(path, &file_system) == 0 && file_system.f_type == TMPFS_MAGIC) return path;
  }
  throw Unsupported("the guest has no tmpfs on /tmp or /dev/shm");
}

// In the volume (fixtures/volume.h), or where there is none a virtual machine's root. A runtime
// that does not pass on what is mounted in a volume shows an empty directory there.
std::string Ext4Directory(const Context& context) {
  const std::string& volume = context.surroundings().volume_dir;
  if (volume.empty() && StatFs(context.scratch_dir()).f_type == EXT4_SUPER_MAGIC) {
    return context.scratch_dir();
  }
  const std::string directory = volume + "/ext4";
  if (!volume.empty() && access((directory + "/lost+found").c_str(), F_OK) == 0) return directory;
  throw Unsupported(
      "the guest has no ext4 of its own, for which the host needs root, mke2fs and a free loop "
      "device");
}

// A small tmpfs is what the runtime chose to give; on any other file system it is a full disk.
void RequireTmpfsSpace(const std::string& directory, std::uint64_t bytes) {
  const struct statfs file_system = StatFs(directory);
  const std::uint64_t free_bytes =
      file_system.f_bavail * static_cast<std::uint64_t>(file_system.f_bsize);
  if (free_bytes < bytes) {
    throw Unsupported("the guest's tmpfs has only " + std::to_string(free_bytes / kMiB) +
                      " MiB free");
  }
}

UniqueFd Open(const std::string& path, int flags, bool direct) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC | (direct ? O_DIRECT : 0), 0600);
  if (fd >= 0) return UniqueFd(fd);
  const int error = errno;
  if (direct && error == EINVAL) {
    throw Unsupported("the target has no O_DIRECT: " + std::string(std::strerror(error)), error);
  }
  ThrowUnavailable("cannot open " + path, error);
}

}  // namespace

std::string TargetDirectory(const Context& context) {
  const std::string& target = context.Text("target");
  if (target == "tmpfs") return TmpfsDirectory();
  if (target == "ext4") return Ext4Directory(context);
  if (target == "volume") {
    if (context.surroundings().volume_dir.empty()) {
      throw Unsupported("this runtime has no volume of the host");
    }
    return context.surroundings().volume_dir;
  }
  if (target != "root") throw std::invalid_argument("there is no target " + target);
  if (IsInMemory(StatFs(context.scratch_dir()))) {
    throw Unsupported("the guest's root file system is in its memory");
  }
  return context.scratch_dir();
}

std::vector<protocol::ParameterSet> OnTargets(std::vector<protocol::ParameterSet> sets) {
  for (protocol::ParameterSet& set : sets) {
    for (const auto& [key, value] : set.params) {
      if (key != "target" || value == "tmpfs") continue;
      set.storage = value == "root" ? protocol::kRootStorage : protocol::kHostStorage;
    }
  }
  return sets;
}

std::string TargetPath(const Context& context) {
  return TargetDirectory(context) + "/hvbench-disk-" + std::to_string(getpid());
}

TargetFile::TargetFile(const Context& context, std::uint64_t bytes, bool direct) : bytes_(bytes) {
  if (context.Text("target") == "raw") {
    const std::string& device = context.surroundings().block_device;
    if (device.empty()) throw Unsupported("this runtime has no block device for the guest");
    file_ = Open(device, O_RDWR | O_EXCL, direct);
    std::uint64_t device_bytes = 0;
    RequireAvailable(ioctl(file_.get(), BLKGETSIZE64, &device_bytes), "BLKGETSIZE64");
    if (device_bytes < bytes) {
      throw Unsupported("the block device has only " + std::to_string(device_bytes / kMiB) +
                        " MiB");
    }
    return;
  }
  const std::string path = TargetPath(context);
  if (context.Text("target") == "tmpfs") RequireTmpfsSpace(TargetDirectory(context), bytes);
  try {
    file_ = Open(path, O_RDWR | O_CREAT | O_TRUNC, direct);
  } catch (...) {
    unlink(path.c_str());  // a refused O_DIRECT may leave the file there
    throw;
  }
  path_ = path;
}

TargetFile::~TargetFile() {
  if (!is_device()) unlink(path_.c_str());
}

// In large pieces, which the host's file system then keeps in large parts: a file written by 128
// KiB at a time is read 7 % slower (docs/peers.md).
void TargetFile::LayOut(const Sectors& sectors) const {
  constexpr std::size_t kPieceBytes = 4 * kMiB;
  const Mapping piece = MapForDisk(std::max(sectors.PeriodBytes(), kPieceBytes));
  for (std::uint64_t at = 0; at < bytes_; at += piece.bytes()) {
    std::span<std::byte> data(piece.data(), std::min<std::uint64_t>(piece.bytes(), bytes_ - at));
    if (at == 0) {
      sectors.Fill(data, at, 0);
    } else {
      sectors.Stamp(data, at, 0);
    }
    const ssize_t written = pwrite(fd(), data.data(), data.size(), static_cast<off_t>(at));
    if (written == static_cast<ssize_t>(data.size())) continue;
    throw KernelFailed("cannot lay out a file of " + std::to_string(bytes_ / kMiB) + " MiB in " +
                           (is_device() ? "the block device" : path_),
                       written < 0 ? errno : ENOSPC);
  }
}

void TargetFile::Read(std::span<std::byte> data, std::uint64_t offset) const {
  const ssize_t count = pread(fd(), data.data(), data.size(), static_cast<off_t>(offset));
  if (count == static_cast<ssize_t>(data.size())) return;
  throw KernelFailed("cannot read byte " + std::to_string(offset) + " of the target",
                     count < 0 ? errno : 0);
}

void TargetFile::DropCache() const {
  if (fdatasync(fd()) != 0) throw KernelFailed("fdatasync", errno);
  posix_fadvise(fd(), 0, 0, POSIX_FADV_DONTNEED);  // advice: where it has no effect, so be it
}

void CheckWritten(const TargetFile& file, const Sectors& sectors, const std::vector<bool>& written,
                  std::uint64_t generation) {
  const std::uint64_t block_bytes = file.bytes() / written.size();
  const Mapping piece(sectors.PeriodBytes(), Pages::kSmall);
  for (std::uint64_t at = 0; at < file.bytes(); at += kSectorBytes) {
    if (at % piece.bytes() == 0) {
      file.Read({piece.data(), std::min<std::uint64_t>(piece.bytes(), file.bytes() - at)}, at);
    }
    const std::byte* const sector = piece.data() + at % piece.bytes();
    const std::uint64_t found = Sectors::HeaderOf(sector).generation;
    const bool expected = written[at / block_bytes] ? found == generation : found < generation;
    if (!expected || !sectors.IsIntact(sector, at)) {
      throw WrongResult("the sector at byte " + std::to_string(at) +
                        " does not hold what was written to it last");
    }
  }
}

}  // namespace hvbench::agent::kernels

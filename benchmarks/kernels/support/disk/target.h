// Where the disk kernels work: the parameter `target`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/disk/sectors.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {

// The directory that the parameter `target` names: "root", the guest's own root file system;
// "volume", the host's directory in the guest; "ext4", a file system that was made for this guest;
// "tmpfs". Unsupported where the guest has none.
std::string TargetDirectory(const Context& context);

// The same sets, which say of which storage their parameter `target` is.
std::vector<protocol::ParameterSet> OnTargets(std::vector<protocol::ParameterSet> sets);

// A path for a file or a directory of this kernel alone.
std::string TargetPath(const Context& context);

// A file, or with "raw" a block device, that is wholly written before the first batch.
class TargetFile {
 public:
  // Unsupported where the guest has no such target, or the target no O_DIRECT.
  TargetFile(const Context& context, std::uint64_t bytes, bool direct);
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;
  ~TargetFile();  // a device keeps what was written to it

  int fd() const { return file_.get(); }
  std::uint64_t bytes() const { return bytes_; }
  bool is_device() const { return path_.empty(); }

  // Writes all sectors, in generation 0.
  void LayOut(const Sectors& sectors) const;
  // Reads bytes that are there.
  void Read(std::span<std::byte> data, std::uint64_t offset) const;
  // Makes what was written durable, and the guest's page cache forget the file.
  void DropCache() const;

 private:
  std::string path_;  // "" for a device
  UniqueFd file_;
  std::uint64_t bytes_;
};

// Reads all of `file`, and throws WrongResult unless each sector is intact, of `generation` where
// its block was `written`, and of an earlier one elsewhere.
void CheckWritten(const TargetFile& file, const Sectors& sectors, const std::vector<bool>& written,
                  std::uint64_t generation);

}  // namespace hvbench::agent::kernels

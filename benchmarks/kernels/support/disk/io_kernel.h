// Reads and writes of one file or block device by several jobs: all of
// disk/{seq,rand}{read,write,rw}.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/disk/job.h"
#include "benchmarks/kernels/support/disk/target.h"

namespace hvbench::agent::kernels {

class IoKernel : public Kernel {
 public:
  explicit IoKernel(AccessMode mode) : mode_(mode) {}

  // The parameters are those of IoCell.
  void Prepare(const Context& context) override;
  void Settle() override { file_->DropCache(); }
  void Run(std::uint64_t iterations) override;
  void Verify() override;
  // An iteration is one operation of one job.
  Work WorkPerIteration() const override { return {.items = 1, .bytes = block_bytes_}; }
  // The counters are of all jobs together.
  std::vector<protocol::Counter> Counters() const override;

 private:
  void CheckOperations();
  void CheckWrites() const;

  AccessMode mode_;
  std::size_t block_bytes_ = 0;
  std::optional<Sectors> sectors_;
  std::optional<TargetFile> file_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::uint64_t generation_ = 0;  // of the last batch
  bool has_run_ = false;          // since the last check
  std::unique_ptr<Crew> crew_;    // last: its threads use the others
};

// A cell of those kernels, in the order of the keys in its name.
struct IoCell {
  std::string engine;
  unsigned block_kib = 4;
  unsigned depth = 1;
  unsigned jobs = 1;
  bool direct = true;
  std::string target = "volume";
  unsigned file_mib = 128;
};
inline IoCell IoCellOn(std::string target, std::string engine, unsigned block_kib, unsigned depth) {
  return {.engine = std::move(engine),
          .block_kib = block_kib,
          .depth = depth,
          .target = std::move(target)};
}
// By way of the page cache, with a file larger than all of the usual guest's memory of 512 MiB.
inline IoCell BufferedIoCell(unsigned block_kib) {
  return {.engine = "psync", .block_kib = block_kib, .direct = false, .file_mib = 1024};
}
// A file in the guest's memory, where O_DIRECT means nothing.
inline IoCell TmpfsIoCell(unsigned block_kib) {
  return {.engine = "psync",
          .block_kib = block_kib,
          .direct = false,
          .target = "tmpfs",
          .file_mib = 64};
}

// A few small cells for smoke, those in `quick` for the other profiles, and for full alone what
// varies one of engine, depth, block, jobs, target and cache at a time.
std::vector<protocol::ParameterSet> IoParameterSets(const std::vector<IoCell>& quick);

}  // namespace hvbench::agent::kernels

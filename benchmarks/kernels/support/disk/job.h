// One thread's share of a disk workload.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/disk/access_pattern.h"
#include "benchmarks/kernels/support/disk/block_buffers.h"
#include "benchmarks/kernels/support/disk/engine.h"
#include "benchmarks/kernels/support/disk/sectors.h"
#include "benchmarks/kernels/support/latency_histogram.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {

struct JobOptions {
  std::string engine;
  int fd = -1;
  AccessMode mode;
  BlockRange range;
  std::size_t block_bytes = 0;
  unsigned depth = 1;
  std::uint64_t seed = 0;  // of this job's accesses
  GuestClock clock;
};

class Job {
 public:
  // `sectors` outlives it.
  Job(const JobOptions& options, const Sectors& sectors);

  // A batch of `operations`, in the order of Accesses(generation). Keeps what it throws, which is
  // KernelFailed, for Failure(): it runs on a thread of its own. Nothing more runs after a failure.
  void Run(std::uint64_t operations, std::uint64_t generation) noexcept;

  // The accesses of one batch.
  AccessPattern Accesses(std::uint64_t generation) const;
  std::uint64_t operations() const { return operations_; }  // of the last batch
  // How many operations of the last batch moved a whole block and, for a read, the right one.
  std::uint64_t right() const { return right_; }
  std::uint64_t wrong_offset() const { return wrong_offset_; }  // of one that did not
  const LatencyHistogram& latency() const { return latency_; }
  std::exception_ptr Failure() const { return failure_; }

 private:
  struct Slot {
    std::uint64_t begin_ns = 0;
    IoOperation operation;
  };

  void Start(Slot& slot, Access access, std::uint64_t now_ns, std::uint64_t generation);
  void Finish(const Slot& slot, std::int64_t result, std::uint64_t now_ns);
  void Perform(std::uint64_t operations, std::uint64_t generation);

  JobOptions options_;
  const Sectors& sectors_;
  BlockBuffers buffers_;
  std::vector<Slot> slots_;
  std::unique_ptr<Engine> engine_;  // behind buffers_, which it uses to its end
  LatencyHistogram latency_;
  std::uint64_t operations_ = 0;
  std::uint64_t right_ = 0;
  std::uint64_t wrong_offset_ = 0;
  std::exception_ptr failure_;
};

}  // namespace hvbench::agent::kernels

// Which blocks a job reads and writes, in order. Reproducible: the check of a batch walks the same
// accesses again.
#pragma once

#include <cstdint>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

struct AccessMode {
  bool random = false;
  unsigned read_percent = 100;

  bool Writes() const { return read_percent < 100; }
  bool Reads() const { return read_percent > 0; }
};

// The blocks of a file that one job works on. Jobs do not share blocks.
struct BlockRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;  // at least 1, at most 2^32

  // The part of job number `job` of `jobs`.
  BlockRange PartOf(std::uint64_t job, std::uint64_t jobs) const {
    const std::uint64_t begin = count * job / jobs;
    return {first + begin, count * (job + 1) / jobs - begin};
  }
};

struct Access {
  std::uint64_t block = 0;
  bool is_write = false;
};

class AccessPattern {
 public:
  AccessPattern(AccessMode mode, BlockRange range, std::uint64_t seed)
      : mode_(mode), range_(range), random_(seed) {}

  Access Next() {
    Access access;
    if (mode_.random) {
      access.block = range_.first + random_.Below(range_.count);
    } else {
      access.block = range_.first + next_;
      if (++next_ == range_.count) next_ = 0;
    }
    const bool mixed = mode_.Reads() && mode_.Writes();
    access.is_write = mixed ? random_.Below(100) >= mode_.read_percent : mode_.Writes();
    return access;
  }

 private:
  AccessMode mode_;
  BlockRange range_;
  Random random_;
  std::uint64_t next_ = 0;  // of sequential accesses, which begin anew behind the last block
};

}  // namespace hvbench::agent::kernels

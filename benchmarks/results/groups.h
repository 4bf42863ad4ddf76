// Benchmarks whose ratios may be averaged: those of one subsystem that measure the same kind of
// thing. A mean over latencies and throughputs, or over disks and caches, would be of nothing
// (T. Hoefler, R. Belli: Scientific Benchmarking of Parallel Computing Systems, SC'15, rules 3
// and 4).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/results/results.h"

namespace hvbench {

struct Group {
  std::string name;  // the subsystem's, or "disk metadata"
  std::string subsystem;
  std::vector<std::string> kernels;  // all of them
  // Those of which a mean may be taken: every runtime that measured any of the group measured them,
  // and where they move bytes, those came from the disk in all of these runtimes, or in none.
  std::vector<std::string> common;
};

// "cpu" of "cpu/primes/limit:10".
std::string SubsystemOf(const std::string& kernel);

// The groups of all kernels of `all`, in the order in which they were measured. `all` are results
// of the same kernels: of one run, or of two that are compared. Not empty.
std::vector<Group> GroupsOf(const std::vector<const Results*>& all);

}  // namespace hvbench

// Made-up measurements whose truth is known: what the statistics of hvbench are tried on.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "benchmarks/results/results.h"

namespace hvbench::simulation {

// How the logarithm of a boot's time varies around its runtime's.
struct Noise {
  enum class Kind {
    kNormal,
    kT3,         // Student's t of three degrees of freedom, whose variance is barely finite
    kLognormal,  // skewed: the logarithm is itself exp(N(0, 1)), minus its mean
  };
  Kind kind = Kind::kNormal;
  double deviation = 0.02;  // of the normal, and the scale of the others
  double slow_share = 0;    // of the boots,
  double slow_log = 0;      // whose logarithm is that much higher

  double Draw(std::mt19937_64& random) const;
  double Mean() const { return slow_share * slow_log; }
};

// Two runtimes in one benchmark.
struct World {
  Noise baseline;
  Noise other;
  double log_ratio = 0;  // of other to baseline, without the slow boots
  // Per visit of a block: linear, and a random walk over the blocks with that deviation.
  double drift = 0;
  double walk = 0;

  // The logarithm of the true ratio of geometric means.
  double TrueLogRatio() const { return log_ratio + other.Mean() - baseline.Mean(); }
};

struct Pair {
  CellResult baseline;
  CellResult other;
};

// A B B A, B A A B, ... as ComparisonRun measures them.
Pair DrawBlocks(const World& world, int blocks, std::mt19937_64& random);

// As in two files: so many boots of each, that have nothing to do with each other.
Pair DrawBoots(const World& world, int baseline_boots, int other_boots, std::mt19937_64& random);

// A run of native and "other" in blocks: one cell a ratio, each with a disturbance of its own and
// one that all cells of a boot share.
Results DrawRun(const std::vector<double>& log_ratios, const Noise& own, const Noise& shared,
                int blocks, std::mt19937_64& random);
// "cpu/k<i>"
std::string KernelName(std::size_t i);

}  // namespace hvbench::simulation

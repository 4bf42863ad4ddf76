#include "tests/simulation/scenarios.h"

#include <algorithm>
#include <cmath>

#include "fixtures/runtime_fixture.h"

namespace hvbench::simulation {
namespace {

// Any: the ratios do not depend on it.
constexpr double kTimeNs = 1000;

Sample SampleOf(double log_time, std::int64_t boot, std::int64_t block) {
  Sample sample;
  sample.value = kTimeNs * std::exp(log_time);
  sample.real_ns = sample.value;
  sample.boot = boot;
  sample.block = block;
  return sample;
}

}  // namespace

double Noise::Draw(std::mt19937_64& random) const {
  std::normal_distribution<double> normal;
  const double slow = std::uniform_real_distribution<double>()(random) < slow_share ? slow_log : 0;
  switch (kind) {
    case Kind::kNormal:
      return slow + deviation * normal(random);
    case Kind::kT3:
      return slow + deviation * std::student_t_distribution<double>(3)(random);
    case Kind::kLognormal:
      return slow + deviation * (std::exp(normal(random)) - std::exp(0.5));
  }
  return slow;
}

Pair DrawBlocks(const World& world, int blocks, std::mt19937_64& random) {
  Pair pair;
  std::normal_distribution<double> normal;
  double walked = 0;
  std::int64_t visit = 0;
  for (int block = 1; block <= blocks; ++block) {
    walked += world.walk * normal(random);
    const double baseline = world.baseline.Draw(random);
    const double other = world.log_ratio + world.other.Draw(random);
    for (int i = 0; i < 4; ++i) {
      const double at = walked + world.drift * static_cast<double>(visit++);
      const bool is_outer = i == 0 || i == 3;  // A of A B B A
      const bool is_baseline = is_outer == (block % 2 == 1);
      if (is_baseline) {
        pair.baseline.samples.push_back(SampleOf(baseline + at, 2 * block - 1, block));
      } else {
        pair.other.samples.push_back(SampleOf(other + at, 2 * block, block));
      }
    }
  }
  return pair;
}

Pair DrawBoots(const World& world, int baseline_boots, int other_boots, std::mt19937_64& random) {
  Pair pair;
  for (int boot = 1; boot <= baseline_boots; ++boot) {
    pair.baseline.samples.push_back(SampleOf(world.baseline.Draw(random), boot, 0));
  }
  for (int boot = 1; boot <= other_boots; ++boot) {
    pair.other.samples.push_back(SampleOf(world.log_ratio + world.other.Draw(random), boot, 0));
  }
  return pair;
}

std::string KernelName(std::size_t i) { return "cpu/k" + std::to_string(i); }

Results DrawRun(const std::vector<double>& log_ratios, const Noise& own, const Noise& shared,
                int blocks, std::mt19937_64& random) {
  Results results;
  for (int block = 1; block <= blocks; ++block) {
    for (const bool is_other : {false, true}) {
      const double of_boot = shared.Draw(random);
      for (std::size_t i = 0; i < log_ratios.size(); ++i) {
        const double log_time = of_boot + own.Draw(random) + (is_other ? log_ratios[i] : 0);
        Sample sample = SampleOf(log_time, 0, 0);
        sample.counters[kBlockCounter] = block;
        sample.counters[kBootCounter] = 2 * block + (is_other ? 1 : 0);
        results.AddSample(KernelName(i), is_other ? "other" : "native", std::move(sample));
      }
    }
  }
  return results;
}

}  // namespace hvbench::simulation

// Holds the program's statistics against measurements whose truth is known: how often intervals
// hold it, how often verdicts are wrong, and what is found. Prints the tables of docs/validity.md.
//
//     hvbench_simulation [ROUNDS]
//
// Exit status 1: an interval holds the truth in less than 94 %, more than 5 % of the differences
// that are found are not there, or equality is claimed where it cannot be known.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/summary.h"
#include "benchmarks/text/number_text.h"
#include "benchmarks/text/text_table.h"
#include "tests/simulation/scenarios.h"

namespace hvbench::simulation {
namespace {

constexpr double kMinCoverage = 0.94;
constexpr double kMaxFalseDiscoveries = 0.05;
constexpr double kSlow = 0.405;  // the logarithm of 1.5

std::string Percent(double share) { return PrintNumber("%.1f", 100 * share); }

class Simulation {
 public:
  explicit Simulation(int rounds) : rounds_(rounds) {}

  void PrintIntervals();
  void PrintRuns();
  void PrintPower();
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  enum class Promise {
    kHolds,     // the mean's interval
    kFewBoots,  // does not hold, and equality must not be claimed
    kSkewed,    // does not hold, which docs/validity.md says
  };
  struct Truth {
    double mean = 1;
    double median = 1;
  };
  using Experiment = std::function<Comparison(std::mt19937_64&)>;

  void AddIntervals(const std::string& name, Truth truth, Promise promise, const Experiment& draw);
  void AddBlocks(const std::string& name, const World& world, std::vector<int> blocks,
                 Promise promise);
  void AddBoots(const std::string& name, const World& world, int baseline, int other);
  void AddStopping(double deviation);
  void AddMeans(int first, int others);
  void Require(bool holds, const std::string& what) {
    if (!holds) failures_.push_back(what);
  }

  int rounds_;
  TextTable intervals_{{"measurements", "mean's interval", "median's interval", "called different",
                        "no difference found", "too few boots", "too noisy"}};
  std::vector<std::string> failures_;
};

enum class Paired { kYes, kNo };

double MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// By many draws: not all kinds of noise have a formula for it.
double TrueMedianRatio(const World& world, Paired paired) {
  std::mt19937_64 random(99);
  std::vector<double> baseline(400'001);
  std::vector<double> other(baseline.size());
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    baseline[i] = world.baseline.Draw(random);
    other[i] = world.log_ratio + world.other.Draw(random);
    if (paired == Paired::kYes) other[i] -= baseline[i];
  }
  return std::exp(MedianOf(other) - (paired == Paired::kYes ? 0 : MedianOf(baseline)));
}

bool Holds(const std::optional<Interval>& interval, double truth) {
  return interval && interval->low <= truth && truth <= interval->high;
}

void Simulation::AddIntervals(const std::string& name, Truth truth, Promise promise,
                              const Experiment& draw) {
  std::mt19937_64 random(7);
  int mean_holds = 0;
  int median_holds = 0;
  int medians = 0;
  std::map<Verdict, int> verdicts;
  for (int round = 0; round < rounds_; ++round) {
    const Comparison comparison = draw(random);
    mean_holds += Holds(comparison.estimate.interval, truth.mean) ? 1 : 0;
    medians += comparison.median.interval ? 1 : 0;
    median_holds += Holds(comparison.median.interval, truth.median) ? 1 : 0;
    ++verdicts[comparison.verdict];
  }
  const auto share = [&](int count) { return static_cast<double>(count) / rounds_; };
  const double different = share(verdicts[Verdict::kHigher] + verdicts[Verdict::kLower]);
  intervals_.Add({name, Percent(share(mean_holds)), medians > 0 ? Percent(share(median_holds)) : "",
                  Percent(different), Percent(share(verdicts[Verdict::kNoDifference])),
                  Percent(share(verdicts[Verdict::kTooFewBoots])),
                  Percent(share(verdicts[Verdict::kTooNoisy]))});
  if (promise == Promise::kHolds) {
    Require(share(mean_holds) >= kMinCoverage, name + ": the mean's interval");
  }
  if (medians > 0) Require(share(median_holds) >= kMinCoverage, name + ": the median's interval");
  if (std::abs(std::log(truth.mean)) < std::log1p(kSmallestDifference)) {
    Require(different <= kMaxFalseDiscoveries, name + ": called different");
  }
  if (promise == Promise::kFewBoots) {
    Require(verdicts[Verdict::kNoDifference] == 0, name + ": equality is claimed");
  }
}

void Simulation::AddBlocks(const std::string& name, const World& world, std::vector<int> blocks,
                           Promise promise) {
  const Truth truth{std::exp(world.TrueLogRatio()), TrueMedianRatio(world, Paired::kYes)};
  for (const int count : blocks) {
    AddIntervals(name + ", " + std::to_string(count) + " blocks", truth, promise,
                 [&](std::mt19937_64& random) {
                   const Pair pair = DrawBlocks(world, count, random);
                   return Compare(pair.baseline, pair.other, Pairing::kSameRun);
                 });
  }
}

void Simulation::AddBoots(const std::string& name, const World& world, int baseline, int other) {
  const Truth truth{std::exp(world.TrueLogRatio()), TrueMedianRatio(world, Paired::kNo)};
  AddIntervals(name + ", " + std::to_string(baseline) + " and " + std::to_string(other) + " boots",
               truth, Promise::kHolds, [&](std::mt19937_64& random) {
                 const Pair pair = DrawBoots(world, baseline, other, random);
                 return Compare(pair.baseline, pair.other, Pairing::kOtherRun);
               });
}

// As ComparisonRun does: until the interval is narrow.
void Simulation::AddStopping(double deviation) {
  constexpr double kWidth = 0.02;  // --hvbench_interval_percent's default
  World world;
  world.baseline.deviation = deviation;
  world.other.deviation = deviation;
  AddIntervals("normal, " + Percent(deviation) + " % a boot, stopped when narrow", {},
               Promise::kHolds, [&](std::mt19937_64& random) {
                 Pair pair;
                 Comparison comparison;
                 do {
                   const Pair more = DrawBlocks(world, 1, random);
                   const auto block = static_cast<std::int64_t>(pair.baseline.samples.size() / 2);
                   const auto add = [&](const CellResult& from, CellResult& to) {
                     for (Sample sample : from.samples) {
                       sample.block += block;
                       sample.boot += 2 * block;
                       to.samples.push_back(std::move(sample));
                     }
                   };
                   add(more.baseline, pair.baseline);
                   add(more.other, pair.other);
                   if (block + 1 < static_cast<std::int64_t>(kUnitsThatShowRareBoots)) continue;
                   comparison = Compare(pair.baseline, pair.other, Pairing::kSameRun);
                 } while (!IsNarrow(comparison.estimate, kWidth));
                 return comparison;
               });
}

// The mean over five benchmarks, which share what their boots have in common, and four of which
// ended later than the first.
void Simulation::AddMeans(int first, int others) {
  AddIntervals("mean of five benchmarks, " + std::to_string(first) + " and " +
                   std::to_string(others) + " blocks",
               {}, Promise::kHolds, [&](std::mt19937_64& random) {
                 const Noise noise;
                 const std::vector<double> equal(5, 0);
                 const Results results = DrawRun(equal, noise, noise, others, random);
                 MeanComparison mean;
                 for (std::size_t i = 0; i < equal.size(); ++i) {
                   CellResult baseline = *results.Find(KernelName(i), "native");
                   CellResult other = *results.Find(KernelName(i), "other");
                   if (i == 0) {
                     baseline.samples.resize(static_cast<std::size_t>(first));
                     other.samples.resize(static_cast<std::size_t>(first));
                   }
                   mean.Add(baseline, other, Pairing::kSameRun);
                 }
                 return mean.Estimate();
               });
}

void Simulation::PrintIntervals() {
  const World equal;
  AddBlocks("normal", equal, {2, 3, 4, 5, 6, 12, 29}, Promise::kHolds);
  World drift;
  drift.drift = 0.01;
  drift.walk = 0.05;
  AddBlocks("drift", drift, {3, 6, 29}, Promise::kHolds);
  World heavy;
  heavy.baseline.kind = heavy.other.kind = Noise::Kind::kT3;
  AddBlocks("heavy tails", heavy, {3, 6, 12, 29}, Promise::kHolds);
  World lognormal;
  lognormal.baseline.kind = lognormal.other.kind = Noise::Kind::kLognormal;
  AddBlocks("skewed on both sides", lognormal, {3, 6, 29}, Promise::kHolds);
  World skewed;
  skewed.other.kind = Noise::Kind::kLognormal;
  AddBlocks("skewed on one side", skewed, {3, 6, 12, 29, 100}, Promise::kSkewed);
  World slow_both;
  slow_both.baseline.slow_share = slow_both.other.slow_share = 0.1;
  slow_both.baseline.slow_log = slow_both.other.slow_log = kSlow;
  AddBlocks("slow boots on both sides", slow_both, {2, 3, 6, 12, 29}, Promise::kHolds);
  World slow;
  slow.other.slow_share = 0.1;
  slow.other.slow_log = kSlow;
  AddBlocks("slow boots on one side", slow, {3, 6, 12, 20}, Promise::kFewBoots);
  AddBlocks("slow boots on one side", slow, {29, 60, 100}, Promise::kHolds);
  AddBoots("normal", equal, 2, 2);
  AddBoots("normal", equal, 3, 3);
  AddBoots("normal", equal, 2, 6);
  AddBoots("normal", equal, 6, 12);
  AddBoots("normal", equal, 29, 29);
  World unequal;
  unequal.other.deviation = 0.1;
  AddBoots("unequal deviations", unequal, 3, 3);
  AddBoots("unequal deviations", unequal, 12, 4);
  AddBoots("unequal deviations", unequal, 2, 5);
  AddBoots("unequal deviations", unequal, 5, 2);
  AddBoots("heavy tails", heavy, 8, 8);
  AddMeans(3, 3);
  AddMeans(6, 12);
  for (const double deviation : {0.01, 0.02, 0.03}) AddStopping(deviation);
  std::cout << "In percent of " << rounds_ << " simulated comparisons:\n\n";
  intervals_.Print(TableStyle::kMarkdown, std::cout);
}

// Runs of forty benchmarks, some of which differ.
void Simulation::PrintRuns() {
  TextTable table({"runs of 40 benchmarks", "equal ones called different", "false discoveries",
                   "runs with any", "3 % found", "10 % found"});
  const std::map<std::string, Noise::Kind> kinds = {{"normal", Noise::Kind::kNormal},
                                                    {"heavy tails", Noise::Kind::kT3},
                                                    {"skewed", Noise::Kind::kLognormal}};
  const int rounds = std::max(1, rounds_ / 10);
  for (const auto& [kind_name, kind] : kinds) {
    for (const bool differ : {false, true}) {
      for (const int blocks : {3, 6, 29}) {
        std::vector<double> log_ratios(40, 0);
        if (differ) {
          std::fill_n(log_ratios.begin(), 10, std::log(1.03));
          std::fill_n(log_ratios.begin() + 10, 10, std::log(1.1));
        }
        Noise own;
        own.kind = kind;
        own.deviation = 0.01;
        std::mt19937_64 random(11);
        double false_share = 0;
        std::map<double, int> found;
        int runs_with_any = 0;
        for (int round = 0; round < rounds; ++round) {
          const Results results = DrawRun(log_ratios, own, own, blocks, random);
          const Summary summary(results, "native");
          int wrong = 0;
          int all = 0;
          for (std::size_t i = 0; i < log_ratios.size(); ++i) {
            const Verdict verdict = summary.Find(KernelName(i), "other")->verdict;
            const bool is_different = verdict == Verdict::kHigher || verdict == Verdict::kLower;
            all += is_different ? 1 : 0;
            found[log_ratios[i]] += is_different ? 1 : 0;
            wrong += is_different && (log_ratios[i] <= 0 || verdict == Verdict::kLower) ? 1 : 0;
          }
          false_share += all > 0 ? static_cast<double>(wrong) / all : 0;
          runs_with_any += wrong > 0 ? 1 : 0;
        }
        const auto share = [&](double log_ratio) {
          const auto cells = std::count(log_ratios.begin(), log_ratios.end(), log_ratio);
          return cells == 0 ? ""
                            : Percent(static_cast<double>(found[log_ratio]) /
                                      static_cast<double>(cells * rounds));
        };
        const std::string name = kind_name + (differ ? ", 20 of them differ, " : ", all equal, ") +
                                 std::to_string(blocks) + " blocks";
        table.Add({name, share(0), Percent(false_share / rounds),
                   Percent(static_cast<double>(runs_with_any) / rounds), share(std::log(1.03)),
                   share(std::log(1.1))});
        Require(false_share / rounds <= kMaxFalseDiscoveries, name + ": false discoveries");
      }
    }
  }
  std::cout << "\nIn percent of " << rounds << " simulated runs:\n\n";
  table.Print(TableStyle::kMarkdown, std::cout);
}

// A difference of 3 %, alone, and one of the size that the comparison itself calls detectable.
void Simulation::PrintPower() {
  TextTable table({"blocks", "deviation of a boot", "3 % found", "detectable",
                   "a difference of that size found"});
  for (const int blocks : {3, 6, 12, 29, 60}) {
    for (const double deviation : {0.005, 0.01, 0.02, 0.04}) {
      World world;
      world.baseline.deviation = world.other.deviation = deviation;
      const auto simulate = [&](double log_ratio, std::vector<double>* detectable) {
        world.log_ratio = log_ratio;
        std::mt19937_64 random(13);
        int found = 0;
        for (int round = 0; round < rounds_; ++round) {
          const Pair pair = DrawBlocks(world, blocks, random);
          const Comparison comparison = Compare(pair.baseline, pair.other, Pairing::kSameRun);
          found += comparison.verdict == Verdict::kHigher ? 1 : 0;
          if (detectable) detectable->push_back(std::log(*comparison.detectable));
        }
        return static_cast<double>(found) / rounds_;
      };
      std::vector<double> detectable;
      const double power = simulate(std::log(1.03), &detectable);
      const double typical = MedianOf(detectable);
      const double found = simulate(typical, nullptr);
      table.Add({std::to_string(blocks), Percent(deviation) + " %", Percent(power),
                 Percent(std::expm1(typical)) + " %", Percent(found)});
      Require(found >= kPower - 0.02,
              std::to_string(blocks) + " blocks: what is called detectable");
    }
  }
  std::cout << "\nIn percent of " << rounds_ << " simulated comparisons:\n\n";
  table.Print(TableStyle::kMarkdown, std::cout);
}

}  // namespace
}  // namespace hvbench::simulation

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10'000;
  if (rounds < 100) {
    std::cerr << "hvbench_simulation: at least 100 rounds\n";
    return 2;
  }
  hvbench::simulation::Simulation simulation(rounds);
  simulation.PrintIntervals();
  simulation.PrintRuns();
  simulation.PrintPower();
  for (const std::string& failure : simulation.failures())
    std::cerr << "FAILED " << failure << '\n';
  return simulation.failures().empty() ? 0 : 1;
}

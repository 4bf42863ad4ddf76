// Every runtime of a run against a baseline runtime: each benchmark, and each group of benchmarks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/groups.h"
#include "benchmarks/results/results.h"

namespace hvbench {

// A runtime's part of a group.
struct GroupSummary {
  std::optional<Comparison> mean;  // over the group's common benchmarks, if there are some
  Interval range;                  // the lowest and the highest ratio of these
  std::map<Verdict, int> verdicts;
  int skipped = 0;
  int failed = 0;
};

// The verdicts on all benchmarks are judged together, and so are those on all means.
class Summary {
 public:
  // `results` outlives this.
  Summary(const Results& results, std::string baseline);

  const Results& results() const { return results_; }
  const std::string& baseline() const { return baseline_; }
  const std::vector<Group>& groups() const { return groups_; }
  // nullptr where one of the two sides was not measured, and for the baseline itself.
  const Comparison* Find(const std::string& kernel, const std::string& runtime) const;
  // nullptr if the runtime was not run in that group.
  const GroupSummary* FindGroup(const std::string& group, const std::string& runtime) const;

 private:
  void AddCell(const std::string& group, const std::string& kernel, const std::string& runtime);
  void AddMean(const Group& group, const std::string& runtime);
  // nullptr unless it was measured.
  const CellResult* Measured(const std::string& kernel, const std::string& runtime) const;

  using Key = std::pair<std::string, std::string>;
  const Results& results_;
  std::string baseline_;
  std::vector<Group> groups_;
  std::map<Key, Comparison> comparisons_;
  std::map<Key, GroupSummary> by_group_;
};

// What the end of a run uses where it can: `wanted`, else the first runtime.
std::string BaselineOf(const Results& results, const std::string& wanted);

}  // namespace hvbench

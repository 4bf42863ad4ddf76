#include "benchmarks/plain_run.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>

#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

void AddIfNew(const std::string& value, std::vector<std::string>& values) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

std::string SubsystemOfBenchmark(const std::string& name) { return name.substr(0, name.find('/')); }

}  // namespace

std::vector<std::string> RuntimesInBlock(std::vector<std::string> runtimes, int block) {
  if (runtimes.empty()) return runtimes;
  // The share of the list by which the n-th pair of blocks is rotated: 0, 1/2, 1/4, 3/4, ... (the
  // van der Corput sequence).
  double share = 0;
  double half = 0.5;
  for (int n = (block - 1) / 2; n > 0; n /= 2) {
    share += half * (n % 2);
    half /= 2;
  }
  const auto by = static_cast<std::ptrdiff_t>(share * static_cast<double>(runtimes.size()));
  std::rotate(runtimes.begin(), runtimes.begin() + by, runtimes.end());
  if (block % 2 == 0) std::reverse(runtimes.begin(), runtimes.end());
  return runtimes;
}

std::vector<std::string> BenchmarksInBlock(const std::vector<std::string>& names, int block) {
  if (block == 1) return names;
  std::vector<std::string> subsystems;
  for (const std::string& name : names) AddIfNew(SubsystemOfBenchmark(name), subsystems);
  std::mt19937_64 random(static_cast<std::uint64_t>(block));
  std::vector<std::string> ordered;
  for (const std::string& subsystem : RuntimesInBlock(subsystems, block)) {
    const auto begin = static_cast<std::ptrdiff_t>(ordered.size());
    std::copy_if(names.begin(), names.end(), std::back_inserter(ordered),
                 [&](const auto& name) { return SubsystemOfBenchmark(name) == subsystem; });
    std::shuffle(ordered.begin() + begin, ordered.end(), random);
  }
  return ordered;
}

PlainRun::PlainRun(const std::vector<CellName>& cells, int blocks, GuestPool& pool)
    : blocks_(blocks), pool_(pool), visits_(cells, kRealTime) {}

void PlainRun::Resume(std::map<std::string, std::vector<Visits::Row>> rows, int whole_blocks) {
  visits_.Resume(std::move(rows));
  whole_blocks_ = whole_blocks;
}

bool PlainRun::Has(const std::string& name, int block) const {
  const std::vector<Visits::Row>& rows = visits_.RowsOf(name);
  return std::any_of(rows.begin(), rows.end(), [&](const Visits::Row& row) {
    const auto found = row.counters.find(kBlockCounter);
    return found != row.counters.end() && found->second.value == block;
  });
}

bool PlainRun::IsWhole(const std::string& name) const {
  for (int block = 1; block <= blocks_; ++block) {
    if (!Has(name, block)) return false;
  }
  return true;
}

int PlainRun::VisitsLeft() const {
  int count = 0;
  for (const CellName& cell : visits_.cells()) {
    for (int block = 1; block <= blocks_; ++block) {
      count += Has(ReportedName(cell), block) ? 0 : 1;
    }
  }
  return count;
}

void PlainRun::RunBlock(int block) {
  std::map<std::pair<std::string, std::string>, const CellName*> cells;  // by runtime and benchmark
  std::vector<std::string> runtimes;
  std::vector<std::string> benchmarks;
  for (const CellName& cell : visits_.cells()) {
    cells[{cell.runtime, cell.WithoutRuntime()}] = &cell;
    AddIfNew(cell.runtime, runtimes);
    AddIfNew(cell.WithoutRuntime(), benchmarks);
  }
  benchmarks = BenchmarksInBlock(benchmarks, block);
  for (const std::string& runtime : RuntimesInBlock(runtimes, block)) {
    for (const std::string& benchmark : benchmarks) {
      const auto found = cells.find({runtime, benchmark});
      if (found == cells.end() || Has(ReportedName(*found->second), block)) continue;
      if (InterruptRequested()) break;
      visits_.Visit(*found->second, block);
    }
    for (std::string& problem : pool_.ShutdownAll()) problems_.push_back(std::move(problem));
  }
}

void PlainRun::Run() {
  const auto start = std::chrono::steady_clock::now();
  for (int block = whole_blocks_ + 1; block <= blocks_ && !InterruptRequested(); ++block) {
    RunBlock(block);
    if (on_block && !InterruptRequested())
      on_block(block, std::chrono::steady_clock::now() - start);
  }
  if (InterruptRequested()) visits_.AddInterrupted();
}

}  // namespace hvbench

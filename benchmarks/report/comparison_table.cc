#include "benchmarks/report/comparison_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "benchmarks/text/escape.h"
#include "benchmarks/text/number_text.h"
#include "benchmarks/text/text_table.h"
#include "fixtures/runtime_fixture.h"

namespace hvbench {
namespace {

constexpr char kHostIoMark[] = "[host I/O ";
constexpr char kPeerMark[] = "[peer]";

// Numbers the reasons, so that one that stands in many cells is printed once.
class Notes {
 public:
  int NumberOf(const std::string& reason) {
    const auto [found, added] = numbers_.try_emplace(reason, static_cast<int>(numbers_.size()) + 1);
    if (added) ordered_.push_back(reason);
    return found->second;
  }
  const std::vector<std::string>& ordered() const { return ordered_; }

 private:
  std::map<std::string, int> numbers_;
  std::vector<std::string> ordered_;
};

std::string Cell(const CellResult* cell, const CellResult* baseline, bool is_baseline,
                 Notes& notes) {
  if (cell == nullptr) return "";
  if (!cell->Measured()) {
    const char* word = cell->outcome == Outcome::kSkipped ? "skipped" : "FAILED";
    return std::string(word) + " [" + std::to_string(notes.NumberOf(cell->reason)) + "]";
  }
  const Spread spread = SpreadOf(cell->RealNs());
  double percent = 100 * spread.half_range / spread.median;
  std::string text = PrintTime(spread.median);
  if (!is_baseline && baseline != nullptr && baseline->Measured()) {
    const Spread reference = SpreadOf(baseline->RealNs());
    const double ratio = spread.median / reference.median;
    text = PrintRatio(ratio);
    percent = std::hypot(percent, 100 * reference.half_range / reference.median);
    // A disk faster than the host's own is a cache until proved otherwise.
    const std::vector<double> host_io = cell->Values(kHostIoCounter);
    if (!host_io.empty() && 100 * (1 - ratio) > percent) {
      text += " " + (kHostIoMark + PrintNumber("%.2f]", SpreadOf(host_io).median));
    }
  }
  if (OtherSideBusyPercent(*cell) >= kBusyPercent) text += std::string(" ") + kPeerMark;
  return cell->samples.size() < 2 ? text : text + PrintNumber(" ±%.0f%%", std::ceil(percent));
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, (values.back() - values.front()) / 2};
}

void PrintComparison(const Results& results, const std::string& baseline, std::ostream& out) {
  const std::vector<std::string>& runtimes = results.runtimes();
  if (runtimes.size() < 2) return;
  Notes notes;
  std::vector<std::string> heading = {"kernel"};
  heading.insert(heading.end(), runtimes.begin(), runtimes.end());
  TextTable table(std::move(heading));
  bool marked = false;
  bool peer_marked = false;
  for (const std::string& kernel : results.kernels()) {
    std::vector<std::string> row = {kernel};
    for (const std::string& runtime : runtimes) {
      row.push_back(Cell(results.Find(kernel, runtime), results.Find(kernel, baseline),
                         runtime == baseline, notes));
    }
    for (const std::string& text : row) {
      marked |= text.find(kHostIoMark) != std::string::npos;
      peer_marked |= text.find(kPeerMark) != std::string::npos;
    }
    table.Add(std::move(row));
  }
  out << "\nTime of one iteration: " << ForTerminalLine(baseline)
      << " in units, the others relative to it (2.00 takes "
      << "twice as long); ± is half the range of the repetitions\n\n";
  table.Print(TableStyle::kText, out);
  for (std::size_t i = 0; i < notes.ordered().size(); ++i) {
    out << (i == 0 ? "\n" : "") << '[' << i + 1 << "] " << ForTerminal(notes.ordered()[i]) << '\n';
  }
  if (marked) {
    out << '\n'
        << kHostIoMark << "x]: faster than " << ForTerminalLine(baseline)
        << ", and the part x of its bytes reached the host's disks\n";
  }
  if (peer_marked) {
    out << '\n'
        << kPeerMark << ": the peer or the load generator, and not the guest, was the limit\n";
  }
}

}  // namespace hvbench

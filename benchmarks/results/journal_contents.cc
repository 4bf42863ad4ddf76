#include "benchmarks/results/journal_contents.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "benchmarks/results/result_writer.h"
#include "benchmarks/results/row.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

constexpr char kHeader[] = "hvbench_journal";
constexpr std::string_view kBeginning = "{\"hvbench_journal\":";

// Whether a journal's first line, however torn, may look so.
bool MayBegin(std::string_view text) {
  return text.empty() || text.front() == '\0' || text.starts_with(kBeginning) ||
         kBeginning.starts_with(text);
}

}  // namespace

JournalContents::Cell& JournalContents::CellOf(const std::string& name) {
  const auto [found, added] = cells_.try_emplace(name);
  if (added) names_.push_back(name);
  return found->second;
}

JournalContents::Row JournalContents::ReadRow(const OrderedJson& json) {
  Row row = RowOf(json);
  if (row.run_type != Row::RT_Iteration) return row;
  const auto boot = row.counters.find(kBootCounter);
  if (boot != row.counters.end()) {
    last_boot_ = std::max(last_boot_, static_cast<std::int64_t>(boot->second.value));
  }
  row.counters[kStartCounter] = static_cast<double>(starts_.size());
  return row;
}

JournalContents::Rows JournalContents::ReadRows(const OrderedJson& json) {
  Rows rows;
  for (const OrderedJson& row : json) rows.push_back(ReadRow(row));
  return rows;
}

void JournalContents::ApplyStart(const OrderedJson& line) {
  if (line.at(kHeader).get<int>() != kJournalFormat) {
    throw Error("it has format " + line.at(kHeader).dump() +
                ", and this version of hvbench reads " + std::to_string(kJournalFormat));
  }
  starts_.push_back(
      {line.at("date").get<std::string>(), line.at("first_boot").get<std::int64_t>()});
  identity_ = line.at("identity").get<Identity>();
  header_context_ = line.at("context").dump();
  // A comparison's block that was not finished is measured again as a whole, and so is what failed
  // or was interrupted.
  for (auto& [name, cell] : cells_) {
    cell.unfinished_block.clear();
    if (cell.complete) continue;
    std::erase_if(cell.rows, [](const Row& row) { return OutcomeOf(row) != Outcome::kMeasured; });
  }
}

void JournalContents::Apply(const OrderedJson& line) {
  if (line.contains(kHeader)) return ApplyStart(line);
  if (starts_.empty()) throw Error("the journal's first line is another");
  if (line.contains("facts")) {
    for (const auto& [key, value] : line.at("facts").items()) {
      context_[key] = value.get<std::string>();
    }
  } else if (line.contains("repetition")) {
    Row row = ReadRow(line.at("repetition"));
    Cell& cell = CellOf(row.run_name.str());
    const int start = static_cast<int>(starts_.size());
    if (std::exchange(cell.repetitions_start, start) != start) cell.repetitions.clear();
    cell.repetitions.push_back(std::move(row));
  } else if (line.contains("benchmark")) {
    Cell& cell = CellOf(line.at("benchmark").get<std::string>());
    cell.rows = ReadRows(line.at("rows"));
    cell.complete = line.at("complete").get<bool>();
    cell.repetitions.clear();
  } else if (line.contains("visit")) {
    Cell& cell = CellOf(line.at("visit").get<std::string>());
    Rows rows = ReadRows(line.at("rows"));
    std::move(rows.begin(), rows.end(), std::back_inserter(cell.unfinished_block));
    cell.repetitions.clear();
  } else if (line.contains("block")) {
    blocks_ = line.at("block").get<int>();
    elapsed_s_ = line.at("elapsed_s").get<double>();
    for (auto& [name, cell] : cells_) {
      std::move(cell.unfinished_block.begin(), cell.unfinished_block.end(),
                std::back_inserter(cell.rows));
      cell.unfinished_block.clear();
    }
  } else {
    throw Error("it has a line of a kind that this version of hvbench does not know");
  }
}

bool JournalContents::HasResults() const {
  const auto is_measured = [](const Row& row) { return OutcomeOf(row) == Outcome::kMeasured; };
  return std::any_of(cells_.begin(), cells_.end(), [&](const auto& entry) {
    const Cell& cell = entry.second;
    return cell.complete || std::any_of(cell.rows.begin(), cell.rows.end(), is_measured) ||
           !cell.repetitions.empty() || !cell.unfinished_block.empty();
  });
}

bool JournalContents::IsComplete(const std::string& name) const {
  const auto found = cells_.find(name);
  return found != cells_.end() && found->second.complete;
}

JournalContents::Rows JournalContents::RowsOf(const std::vector<std::string>& names) const {
  Rows rows;
  for (const std::string& name : names) {
    const auto found = cells_.find(name);
    if (found == cells_.end()) continue;
    const Cell& cell = found->second;
    Rows known = cell.rows;
    for (const Rows* more : {&cell.unfinished_block, &cell.repetitions}) {
      known.insert(known.end(), more->begin(), more->end());
    }
    rows.insert(rows.end(), known.begin(), known.end());
  }
  if (starts_.size() == 1) {
    for (Row& row : rows) row.counters.erase(kStartCounter);
  }
  return rows;
}

std::map<std::string, JournalContents::Rows> JournalContents::RowsToGoOnWith() const {
  std::map<std::string, Rows> rows;
  for (const auto& [name, cell] : cells_) {
    if (!cell.rows.empty()) rows[name] = cell.rows;
  }
  return rows;
}

bool IsJournal(const std::string& text) { return text.starts_with(kBeginning); }

JournalFile ParseJournal(const std::string& text) {
  if (!MayBegin(text)) throw Error("it does not begin as a journal");
  JournalFile file;
  std::size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn
    const OrderedJson line = OrderedJson::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                text.begin() + static_cast<std::ptrdiff_t>(end),
                                                /*cb=*/nullptr, /*allow_exceptions=*/false);
    // After a loss of power a part of the last line may be zeros, and its end there.
    if (line.is_discarded() && end + 1 == text.size()) break;
    try {
      if (!line.is_object()) throw Error("it is damaged");
      file.contents.Apply(line);
    } catch (const std::exception& e) {
      throw Error("line " + std::to_string(number) + " of the journal cannot be read: " + e.what());
    }
    begin = end + 1;
    file.valid_bytes = begin;
  }
  return file;
}

std::string DescribeUnfinished(const JournalContents& contents) {
  if (contents.starts().empty()) return "this run ended before its first benchmark";
  const auto complete = std::count_if(contents.names().begin(), contents.names().end(),
                                      [&](const auto& n) { return contents.IsComplete(n); });
  const auto whole = contents.identity().find("number of benchmarks");
  std::string progress = std::to_string(contents.blocks()) + " whole blocks were measured";
  if (contents.blocks() == 0 && whole != contents.identity().end()) {
    progress = std::to_string(complete) + " of " + whole->second + " benchmarks were measured";
  }
  return "this run did not finish: " + progress + "; advice: go on with --hvbench_resume";
}

OrderedJson UnfinishedResults(const JournalContents& contents) {
  OrderedJson results = {{"context", OrderedJson::object()}, {"benchmarks", OrderedJson::array()}};
  if (!contents.starts().empty()) {
    results["context"] = OrderedJson::parse(contents.header_context());
    results["benchmarks"] = OrderedJson::parse(FormatJsonRows(contents.RowsOf(contents.names())));
  }
  OrderedJson& context = results["context"];
  for (const auto& [key, value] : contents.context()) context[key] = value;
  context[kUnfinishedKey] = DescribeUnfinished(contents);
  return results;
}

}  // namespace hvbench

#include "benchmarks/results/result_file.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "benchmarks/results/journal_contents.h"
#include "fixtures/cell_name.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

// Google Benchmark's fields of a row that are numbers and no counters.
const std::set<std::string>& NumericFields() {
  static const std::set<std::string> kFields = {"family_index", "per_family_instance_index",
                                                "repetitions",  "repetition_index",
                                                "threads",      "iterations",
                                                "real_time",    "cpu_time"};
  return kFields;
}

double NsPerUnit(const std::string& unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  throw Error("unknown time_unit " + unit);
}

struct RowName {
  std::string kernel;
  std::string runtime;
};

RowName NameOfRow(const OrderedJson& row) {
  // An aggregate's name has its suffix behind it; its run_name has not.
  const std::string name = row.value("run_name", row.at("name").get<std::string>());
  if (const std::optional<CellName> cell = ParseCellName(name)) {
    return {cell->WithoutRuntime(), cell->runtime};
  }
  return {name, ""};
}

// The message of a row that was not measured. Google Benchmark 1.8 added "skipped".
std::optional<std::string> UnmeasuredMessage(const OrderedJson& row) {
  if (row.value("error_occurred", false)) return row.value("error_message", std::string());
  if (row.value("skipped", false)) {
    return std::string(kSkippedPrefix) + row.value("skip_message", std::string());
  }
  return std::nullopt;
}

void AddUnmeasured(const RowName& name, const std::string& message, Results& results) {
  for (const auto& [prefix, outcome] :
       {std::pair{kSkippedPrefix, Outcome::kSkipped}, std::pair{kErrorPrefix, Outcome::kFailed}}) {
    if (!message.starts_with(prefix)) continue;
    results.AddUnmeasured(name.kernel, name.runtime, outcome, message.substr(prefix.size()));
    return;
  }
  results.AddUnmeasured(name.kernel, name.runtime, Outcome::kFailed, message);
}

Sample ReadSample(const OrderedJson& row) {
  const double unit = NsPerUnit(row.value("time_unit", std::string("ns")));
  Sample sample;
  sample.real_ns = row.at("real_time").get<double>() * unit;
  sample.cpu_ns = row.at("cpu_time").get<double>() * unit;
  for (const auto& [key, value] : row.items()) {
    if (value.is_number() && !NumericFields().contains(key)) {
      sample.counters[key] = value.get<double>();
    }
  }
  return sample;
}

bool IsAggregate(const OrderedJson& row, const char* kind) {
  return row.value("run_type", std::string("iteration")) == "aggregate" &&
         row.value("aggregate_name", std::string()) == kind;
}

// Ratios are of logarithms, and the squares of what varies must be numbers too.
std::string WhyUnusable(const Sample& sample) {
  constexpr double kMost = 1e30;
  if (!(sample.real_ns > 0)) return "its time is not above 0";
  bool bounded = sample.real_ns <= kMost && std::abs(sample.cpu_ns) <= kMost;
  for (const auto& [name, value] : sample.counters) bounded = bounded && std::abs(value) <= kMost;
  return bounded ? "" : "a number of it is out of all bounds";
}

// Aggregates count only for benchmarks that have nothing else.
void ReadRows(const OrderedJson& rows, Results& results) {
  for (const OrderedJson& row : rows) {
    if (row.value("run_type", std::string("iteration")) != "iteration") continue;
    const RowName name = NameOfRow(row);
    if (const auto message = UnmeasuredMessage(row)) {
      AddUnmeasured(name, *message, results);
      continue;
    }
    Sample sample = ReadSample(row);
    if (std::string why = WhyUnusable(sample); why.empty()) {
      results.AddSample(name.kernel, name.runtime, std::move(sample));
    } else {
      results.AddUnmeasured(name.kernel, name.runtime, Outcome::kFailed, std::move(why));
    }
  }
  for (const char* kind : {"median", "mean"}) {
    for (const OrderedJson& row : rows) {
      const RowName name = NameOfRow(row);
      if (!IsAggregate(row, kind) || results.Find(name.kernel, name.runtime) != nullptr) continue;
      Sample sample = ReadSample(row);
      // The mean of boot numbers is none.
      sample.counters.erase(kBootCounter);
      sample.counters.erase(kBlockCounter);
      sample.counters.erase(kStartCounter);
      if (!WhyUnusable(sample).empty()) continue;
      results.AddSample(name.kernel, name.runtime, std::move(sample));
    }
  }
}

}  // namespace

std::string ResultFile::Context(const std::string& key) const {
  const auto found = context.find(key);
  return found == context.end() ? "" : found->second;
}

bool ResultFile::Emulated(const std::string& runtime) const {
  const std::string accelerator = Context("runtime." + runtime + ".accelerator");
  return NamesEmulated(runtime) || accelerator == "tcg";
}

bool ResultFile::Nested(const std::string& runtime) const {
  const std::string accelerator = Context("runtime." + runtime + ".accelerator");
  return accelerator.find("kvm") != std::string::npos && Context("host_virtualization") == "nested";
}

std::string ResultFile::Unfinished() const {
  const std::string warning = Context(kUnfinishedKey);
  return warning.empty() ? "" : name + ": " + warning;
}

ResultFile ParseResultFile(std::istream& stream, const std::string& name,
                           const Quantity& quantity) {
  ResultFile file;
  file.results = Results(quantity);
  file.name = name;
  try {
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    // Where a run ended at once, its journal has no line yet, or the beginning of one.
    const bool is_journal = IsJournal(text) || name.ends_with(kJournalSuffix);
    const OrderedJson json =
        is_journal ? UnfinishedResults(ParseJournal(text).contents) : OrderedJson::parse(text);
    for (const auto& [key, value] : json.at("context").items()) {
      file.context[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    ReadRows(json.at("benchmarks"), file.results);
  } catch (const OrderedJson::exception& e) {
    throw Error(name + " is not Google Benchmark's JSON: " + e.what());
  } catch (const Error& e) {
    throw Error(name + ": " + e.what());
  }
  return file;
}

ResultFile ReadResultFile(const std::filesystem::path& path, const Quantity& quantity) {
  std::ifstream stream(path);
  if (!stream) {
    std::error_code none;
    const std::string journal = path.string() + kJournalSuffix;
    throw Error("cannot read " + path.string() +
                (std::filesystem::exists(journal, none)
                     ? "; the run did not finish, but " + journal + " can be read as well"
                     : ""));
  }
  return ParseResultFile(stream, path.string(), quantity);
}

}  // namespace hvbench

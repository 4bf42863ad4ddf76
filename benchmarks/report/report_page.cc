// The page of a report: the files' results as JSON inside of the template, and the library that
// draws. All statistics are made here; the page only shows them.
#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/findings_text.h"
#include "benchmarks/report/report.h"
#include "benchmarks/report/resources.h"
#include "benchmarks/results/findings.h"
#include "benchmarks/results/run_json.h"
#include "benchmarks/results/summary.h"
#include "benchmarks/text/escape.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

// Five digits are more than any measurement has, and keep the page small.
OrderedJson Short(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 4 - std::floor(std::log10(std::abs(value))));
  const double rounded = std::round(value * scale) / scale;
  if (std::abs(rounded) < 1e15 && rounded == std::floor(rounded)) {
    return static_cast<std::int64_t>(rounded);
  }
  return rounded;
}

template <typename AnyEstimate>
OrderedJson Estimate(const AnyEstimate& estimate) {
  OrderedJson json = {{"r", Short(estimate.ratio)}};
  if (estimate.interval) {
    json["lo"] = Short(estimate.interval->low);
    json["hi"] = Short(estimate.interval->high);
  }
  return json;
}

// What the page shows of a ratio: its verdict is beside it.
OrderedJson RatioJson(const Comparison& comparison) {
  OrderedJson json = Estimate(comparison.estimate);
  json["n"] = comparison.estimate.sampling_units;
  json["unit"] = NameOf(comparison.sampling_unit);
  json["median"] = Estimate(comparison.median);
  json["range"] = {Short(comparison.range.low), Short(comparison.range.high)};
  json["p"] = Short(comparison.adjusted_p);
  if (comparison.detectable) json["detectable"] = Short(*comparison.detectable);
  return json;
}

// The keys that begin with `prefix`, without it.
OrderedJson ContextUnder(const ResultFile& file, const std::string& prefix) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [key, value] : file.context) {
    if (key.starts_with(prefix)) json[key.substr(prefix.size())] = value;
  }
  return json;
}

OrderedJson Counters(const CellResult& cell) {
  std::map<std::string, std::vector<double>> values;
  for (const Sample& sample : cell.samples) {
    for (const auto& [name, value] : sample.counters) values[name].push_back(value);
  }
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, all] : values) json[name] = Short(SpreadOf(all).median);
  return json;
}

OrderedJson CellJson(const CellResult* cell, const Comparison* comparison) {
  if (cell == nullptr) return nullptr;
  if (!cell->Measured()) {
    return {{"o", cell->outcome == Outcome::kSkipped ? "skipped" : "failed"},
            {"why", cell->reason}};
  }
  OrderedJson json = {
      {"t", OrderedJson::array()}, {"b", OrderedJson::array()}, {"c", Counters(*cell)}};
  bool boots = false;
  for (const Sample& sample : cell->samples) {
    json["t"].push_back(Short(sample.real_ns));
    json["b"].push_back(sample.boot);
    boots = boots || sample.boot > 0;
  }
  if (!boots) json.erase("b");
  const std::vector<double> values = SamplingUnitValues(*cell);
  std::vector<double> logs;
  for (const double ns : values) logs.push_back(std::log(ns));
  RatioEstimate time = PairedRatio(logs);  // to one nanosecond
  if (!HasSeveralBoots(*cell)) time.interval.reset();
  json["time"] = Estimate(time);
  json["cv"] = Short(CoefficientOfVariation(values));
  if (comparison != nullptr) {
    json["ratio"] = RatioJson(*comparison);
    json["v"] = NameOf(comparison->verdict, Quantity());
  }
  return json;
}

OrderedJson GroupJson(const GroupSummary* cell) {
  if (cell == nullptr) return nullptr;
  OrderedJson verdicts = OrderedJson::object();
  for (const auto& [verdict, count] : cell->verdicts) verdicts[NameOf(verdict, Quantity())] = count;
  OrderedJson json = {{"verdicts", verdicts}, {"skipped", cell->skipped}, {"failed", cell->failed}};
  if (cell->mean) {
    json["ratio"] = RatioJson(*cell->mean);
    json["cells"] = {Short(cell->range.low), Short(cell->range.high)};
    json["v"] = NameOf(cell->mean->verdict, Quantity());
  }
  return json;
}

// Comma-separated numbers.
OrderedJson Numbers(const std::string& text) {
  OrderedJson json = OrderedJson::array();
  std::istringstream stream(text);
  for (std::string number; std::getline(stream, number, ',');) {
    json.push_back(std::strtod(number.c_str(), nullptr));
  }
  return json;
}

OrderedJson FileJson(const ResultFile& file, const std::string& wanted_baseline) {
  const Summary summary(file.results, BaselineOf(file.results, wanted_baseline));
  const std::vector<std::string>& runtimes = file.results.runtimes();
  OrderedJson json = {{"name", file.name},
                      {"baseline", summary.baseline()},
                      {"date", file.Context("date")},
                      {"profile", file.Context("hvbench_profile")},
                      {"virtualization", file.Context("host_virtualization")},
                      {"host", ContextUnder(file, "host_")},
                      {"run", ContextUnder(file, "guest_")},
                      {"warnings", ContextUnder(file, "warning.")}};
  json["runtimes"] = OrderedJson::array();
  for (const std::string& runtime : runtimes) {
    OrderedJson facts = ContextUnder(file, "runtime." + runtime + ".");
    const std::string boots = file.Context("runtime." + runtime + ".boots_first_reply_ms");
    facts.erase("boots_first_reply_ms");
    json["runtimes"].push_back({{"name", runtime},
                                {"emulated", file.Emulated(runtime)},
                                {"nested", file.Nested(runtime)},
                                {"boots_ms", Numbers(boots)},
                                {"facts", std::move(facts)}});
  }
  json["groups"] = OrderedJson::array();
  for (const Group& group : summary.groups()) {
    OrderedJson cells = OrderedJson::array();
    for (const std::string& runtime : runtimes) {
      cells.push_back(GroupJson(summary.FindGroup(group.name, runtime)));
    }
    json["groups"].push_back({{"name", group.name},
                              {"subsystem", group.subsystem},
                              {"count", group.common.size()},
                              {"of", group.kernels.size()},
                              {"cells", std::move(cells)}});
  }
  json["kernels"] = OrderedJson::array();
  for (const std::string& kernel : file.results.kernels()) {
    OrderedJson cells = OrderedJson::array();
    for (const std::string& runtime : runtimes) {
      cells.push_back(CellJson(file.results.Find(kernel, runtime), summary.Find(kernel, runtime)));
    }
    json["kernels"].push_back({{"name", kernel}, {"cells", std::move(cells)}});
  }
  std::ostringstream findings;
  PrintFindings(JudgeFindings(file), "json", findings);
  json["findings"] = OrderedJson::parse(findings.str());
  return json;
}

// `page` with each {{name}} replaced; what is put in is not searched again.
void Fill(std::string_view page, const std::map<std::string, std::string_view>& parts,
          std::ostream& out) {
  for (;;) {
    const std::size_t begin = page.find("{{");
    const std::size_t end = page.find("}}", begin);
    out << page.substr(0, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return;
    out << parts.at(std::string(page.substr(begin + 2, end - begin - 2)));
    page.remove_prefix(end + 2);
  }
}

}  // namespace

void WriteHtml(const std::vector<ResultFile>& files, const std::string& baseline,
               std::ostream& out) {
  OrderedJson data = {{"version", HVBENCH_VERSION}, {"files", OrderedJson::array()}};
  for (const ResultFile& file : files) data["files"].push_back(FileJson(file, baseline));
  const std::string text =
      ForScript(data.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  Fill(resources::PageHtml(),
       {{"css", resources::PageCss()},
        {"chart_library", resources::ChartJs()},
        {"charts", resources::ChartsJs()},
        {"model", resources::ModelJs()},
        {"page", resources::PageJs()},
        {"data", text}},
       out);
}

}  // namespace hvbench

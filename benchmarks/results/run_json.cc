#include "benchmarks/results/run_json.h"

#include <string>

#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;
using benchmark::Counter;

// Google Benchmark 1.8 replaced error_occurred and error_message.
template <typename R>
void WriteFailure(const R& run, OrderedJson& json) {
  if constexpr (requires { run.error_message; }) {
    if (run.error_occurred) json["failure"] = run.error_message;
  } else {
    if (run.skipped) json["failure"] = run.skip_message;
  }
}

template <typename R>
void ReadFailure(const OrderedJson& json, R& run) {
  if (!json.contains("failure")) return;
  if constexpr (requires { run.error_message; }) {
    run.error_occurred = true;
    run.error_message = json.at("failure").get<std::string>();
  } else {
    run.skipped = decltype(run.skipped)(2);  // SkippedWithError, as SkipWithError makes it
    run.skip_message = json.at("failure").get<std::string>();
  }
}

// Its flags and its base say how it is shown: "k/s", "Ki/s".
OrderedJson JsonOf(const Counter& counter) {
  if (counter.flags == Counter::kDefaults && counter.oneK == Counter::kIs1000) return counter.value;
  return OrderedJson::array(
      {counter.value, static_cast<int>(counter.flags), static_cast<int>(counter.oneK)});
}

Counter CounterOf(const OrderedJson& json) {
  if (!json.is_array()) return {json.get<double>()};
  return {json.at(0).get<double>(), static_cast<Counter::Flags>(json.at(1).get<int>()),
          static_cast<Counter::OneK>(json.at(2).get<int>())};
}

}  // namespace

Run UnmeasuredRow(const std::string& name, const std::string& message) {
  Run row;
  row.statistics = nullptr;  // which its constructor leaves open, with the next three
  row.family_index = 0;
  row.per_family_instance_index = 0;
  row.repetition_index = 0;
  row.run_name.function_name = name;
  ReadFailure({{"failure", message}}, row);
  return row;
}

OrderedJson JsonOf(const Run& row) {
  OrderedJson json = {{"name", row.run_name.str()},
                      {"family_index", row.family_index},
                      {"instance_index", row.per_family_instance_index}};
  if (row.run_type == Run::RT_Aggregate) {
    json["aggregate"] = row.aggregate_name;
    json["aggregate_unit"] = static_cast<int>(row.aggregate_unit);
  }
  if (!row.report_label.empty()) json["label"] = row.report_label;
  WriteFailure(row, json);
  json.update({{"iterations", row.iterations},
               {"threads", row.threads},
               {"repetition_index", row.repetition_index},
               {"repetitions", row.repetitions},
               {"time_unit", static_cast<int>(row.time_unit)},
               {"real_s", row.real_accumulated_time},
               {"cpu_s", row.cpu_accumulated_time}});
  OrderedJson counters = OrderedJson::object();
  for (const auto& [name, counter] : row.counters) counters[name] = JsonOf(counter);
  json["counters"] = std::move(counters);
  return json;
}

Run RowOf(const OrderedJson& json) {
  Run row;
  row.statistics = nullptr;  // which its constructor leaves open
  row.run_name.function_name = json.at("name").get<std::string>();
  json.at("family_index").get_to(row.family_index);
  json.at("instance_index").get_to(row.per_family_instance_index);
  if (json.contains("aggregate")) {
    row.run_type = Run::RT_Aggregate;
    json.at("aggregate").get_to(row.aggregate_name);
    row.aggregate_unit =
        static_cast<benchmark::StatisticUnit>(json.at("aggregate_unit").get<int>());
  }
  row.report_label = json.value("label", std::string());
  ReadFailure(json, row);
  json.at("iterations").get_to(row.iterations);
  json.at("threads").get_to(row.threads);
  json.at("repetition_index").get_to(row.repetition_index);
  json.at("repetitions").get_to(row.repetitions);
  row.time_unit = static_cast<benchmark::TimeUnit>(json.at("time_unit").get<int>());
  json.at("real_s").get_to(row.real_accumulated_time);
  json.at("cpu_s").get_to(row.cpu_accumulated_time);
  for (const auto& [name, value] : json.at("counters").items()) {
    row.counters[name] = CounterOf(value);
  }
  return row;
}

}  // namespace hvbench

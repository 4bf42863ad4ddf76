// Files of results as Google Benchmark writes them.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/results/result_file.h"
#include "runtime_launchers/support/json.h"

namespace hvbench::testing {

// Builds the JSON of a run.
class SampleFile {
 public:
  SampleFile() {
    json_["context"] = {{"host_name", "box"},        {"num_cpus", 2},
                        {"host_cpu_model", "A CPU"}, {"host_virtualization", "bare"},
                        {"guest_vcpus", "1"},        {"guest_memory_mib", "512"}};
    json_["benchmarks"] = nlohmann::json::array();
  }

  SampleFile& Context(const std::string& key, const std::string& value) {
    json_["context"][key] = value;
    return *this;
  }
  // One row a value. `boot` above 0: all of that boot; below: each of its own, from -boot on.
  SampleFile& Add(const std::string& name, const std::vector<double>& times_ns, int boot = 0) {
    for (const double ns : times_ns) {
      nlohmann::json row = {{"name", name + "/manual_time"},
                            {"run_name", name + "/manual_time"},
                            {"run_type", "iteration"},
                            {"iterations", 100},
                            {"real_time", ns},
                            {"cpu_time", ns},
                            {"time_unit", "ns"}};
      if (boot != 0) row["boot"] = boot > 0 ? boot : -(boot--);
      json_["benchmarks"].push_back(std::move(row));
    }
    return *this;
  }
  SampleFile& Fail(const std::string& name, const std::string& message) {
    json_["benchmarks"].push_back({{"name", name + "/manual_time"},
                                   {"run_name", name + "/manual_time"},
                                   {"run_type", "iteration"},
                                   {"error_occurred", true},
                                   {"error_message", message},
                                   {"iterations", 0},
                                   {"real_time", -1},
                                   {"cpu_time", -1},
                                   {"time_unit", "ns"}});
    return *this;
  }
  SampleFile& Row(nlohmann::json row) {
    json_["benchmarks"].push_back(std::move(row));
    return *this;
  }
  // Gives a counter to the row that was added last.
  SampleFile& Counter(const std::string& name, double value) {
    json_["benchmarks"].back()[name] = value;
    return *this;
  }

  std::string Text() const { return json_.dump(); }
  ResultFile File(const std::string& name = "r.json") const {
    std::istringstream stream(Text());
    return ParseResultFile(stream, name);
  }

 private:
  nlohmann::json json_;
};

}  // namespace hvbench::testing

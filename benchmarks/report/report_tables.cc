// The forms of a report that programs read.
#include <algorithm>
#include <iomanip>
#include <limits>
#include <set>

#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/report.h"
#include "benchmarks/results/summary.h"
#include "benchmarks/text/escape.h"

namespace hvbench {
namespace {

std::set<std::string> CountersOf(const std::vector<ResultFile>& files) {
  std::set<std::string> names;
  for (const ResultFile& file : files) {
    for (const std::string& kernel : file.results.kernels()) {
      for (const std::string& runtime : file.results.runtimes()) {
        const CellResult* cell = file.results.Find(kernel, runtime);
        if (cell == nullptr) continue;
        for (const Sample& sample : cell->samples) {
          for (const auto& [name, value] : sample.counters) names.insert(name);
        }
      }
    }
  }
  return names;
}

// Each cell of each file, in the order of the files.
template <typename Function>
void ForEachCell(const std::vector<ResultFile>& files, Function function) {
  for (const ResultFile& file : files) {
    for (const std::string& kernel : file.results.kernels()) {
      for (const std::string& runtime : file.results.runtimes()) {
        const CellResult* cell = file.results.Find(kernel, runtime);
        if (cell != nullptr) function(file, kernel, runtime, *cell);
      }
    }
  }
}

// A gauge for one number of each cell that was measured. Its name ends in its unit, which
// OpenMetrics wants to be a base unit: seconds.
struct Gauge {
  std::string name;
  std::string unit;
  std::string help;
  double (*value)(const CellResult& cell);
};

const std::vector<Gauge>& Gauges() {
  static const std::vector<Gauge> kGauges = {
      {"hvbench_time_seconds", "seconds", "Median time of one iteration.",
       [](const CellResult& cell) { return SpreadOf(cell.RealNs()).median * 1e-9; }},
      {"hvbench_time_minimum_seconds", "seconds", "Shortest time of one iteration.",
       [](const CellResult& cell) {
         const std::vector<double> times = cell.RealNs();
         return *std::min_element(times.begin(), times.end()) * 1e-9;
       }},
      {"hvbench_repetitions", "", "Repetitions that were measured.",
       [](const CellResult& cell) { return static_cast<double>(cell.samples.size()); }},
      {"hvbench_variation_ratio", "ratio", "Coefficient of variation of the boots' times.",
       [](const CellResult& cell) { return CoefficientOfVariation(SamplingUnitValues(cell)); }},
  };
  return kGauges;
}

}  // namespace

void WriteCsv(const std::vector<ResultFile>& files, std::ostream& out) {
  const std::set<std::string> counters = CountersOf(files);
  out << "file,benchmark,subsystem,runtime,emulated,outcome,reason,repetition,boot,block,"
         "real_time_ns,cpu_time_ns";
  for (const std::string& counter : counters) out << ',' << ForCsv(counter);
  out << "\n" << std::setprecision(std::numeric_limits<double>::max_digits10);
  ForEachCell(files, [&](const ResultFile& file, const std::string& kernel,
                         const std::string& runtime, const CellResult& cell) {
    const auto begin_row = [&](const char* outcome) {
      out << ForCsv(file.name) << ',' << ForCsv(kernel) << ',' << ForCsv(SubsystemOf(kernel)) << ','
          << ForCsv(runtime) << ',' << (file.Emulated(runtime) ? "true" : "false") << ',' << outcome
          << ',' << ForCsv(cell.reason) << ',';
    };
    if (!cell.Measured()) {
      begin_row(cell.outcome == Outcome::kSkipped ? "skipped" : "failed");
      out << std::string(4 + counters.size(), ',') << '\n';
      return;
    }
    for (std::size_t i = 0; i < cell.samples.size(); ++i) {
      const Sample& sample = cell.samples[i];
      begin_row("measured");
      out << i << ',' << sample.boot << ',' << sample.block << ',' << sample.real_ns << ','
          << sample.cpu_ns;
      for (const std::string& counter : counters) {
        out << ',';
        const auto found = sample.counters.find(counter);
        if (found != sample.counters.end()) out << found->second;
      }
      out << '\n';
    }
  });
}

void WriteOpenMetrics(const std::vector<ResultFile>& files, std::ostream& out) {
  out << std::setprecision(std::numeric_limits<double>::max_digits10);
  const auto labels = [&](const ResultFile& file, const std::string& kernel,
                          const std::string& runtime) {
    return "{benchmark=" + ForLabel(kernel) +
           ",emulated=" + ForLabel(file.Emulated(runtime) ? "true" : "false") +
           ",host=" + ForLabel(file.Context("host_name")) + ",runtime=" + ForLabel(runtime) +
           ",subsystem=" + ForLabel(SubsystemOf(kernel)) +
           // Two files may hold the same benchmark of the same host.
           (files.size() > 1 ? ",file=" + ForLabel(file.name) : "") + "}";
  };
  for (const Gauge& gauge : Gauges()) {
    out << "# TYPE " << gauge.name << " gauge\n";
    if (!gauge.unit.empty()) out << "# UNIT " << gauge.name << ' ' << gauge.unit << '\n';
    out << "# HELP " << gauge.name << ' ' << gauge.help << '\n';
    ForEachCell(files, [&](const ResultFile& file, const std::string& kernel,
                           const std::string& runtime, const CellResult& cell) {
      if (!cell.Measured()) return;
      out << gauge.name << labels(file, kernel, runtime) << ' ' << gauge.value(cell) << '\n';
    });
  }
  out << "# TYPE hvbench_measured gauge\n"
         "# HELP hvbench_measured 1 if the benchmark was measured, 0 if it was skipped or "
         "failed.\n";
  ForEachCell(files, [&](const ResultFile& file, const std::string& kernel,
                         const std::string& runtime, const CellResult& cell) {
    out << "hvbench_measured" << labels(file, kernel, runtime) << ' ' << (cell.Measured() ? 1 : 0)
        << '\n';
  });
  out << "# EOF\n";
}

}  // namespace hvbench

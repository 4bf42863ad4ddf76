#include "benchmarks/file_commands.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "benchmarks/exit_status.h"
#include "benchmarks/report/compare_files.h"
#include "benchmarks/report/findings_text.h"
#include "benchmarks/report/report.h"
#include "benchmarks/results/findings.h"

namespace hvbench {
namespace {

CLI::App* AddCompare(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* command = app.add_subcommand(
      "compare", "Compares two files of results; exit status 1 says that something got worse");
  auto options = std::make_shared<CompareFilesOptions>();
  command->add_option("A.json", options->baseline, "The file to compare with")->required();
  command->add_option("B.json", options->other, "The file that is judged")->required();
  command
      ->add_option("--threshold", options->threshold_percent,
                   "What is worse by more percent than this is a regression")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command
      ->add_option("--quantity", options->quantity,
                   "What to compare: real_time, cpu_time, or a counter such as host_cpu_ns,\n"
                   "bytes_per_second or pss_bytes; the end of its name says its unit")
      ->capture_default_str();
  command->add_flag("--allow-mismatch", options->allow_mismatch,
                    "Compare although the machine, the emulation or the guests' shape differ");
  command->add_option("--format", options->format, "The form of the output")
      ->check(CLI::IsMember({"text", "markdown", "json"}))
      ->capture_default_str();
  command->callback([options, &chosen] {
    chosen = [options]() -> int {
      switch (CompareFiles(*options, std::cout, std::cerr)) {
        case CompareFilesStatus::kNoRegression:
          return kExitMeasured;
        case CompareFilesStatus::kRegression:
          return kExitFailed;
        case CompareFilesStatus::kNotComparable:
        case CompareFilesStatus::kNothingDecided:
          return kExitUsage;
        case CompareFilesStatus::kNothingInCommon:
          return kExitNoMatch;
      }
      return kExitFailed;
    };
  });
  return command;
}

CLI::App* AddReport(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* command =
      app.add_subcommand("report", "Makes one page, tables or metrics of files of results");
  auto options = std::make_shared<ReportOptions>();
  command->add_option("FILE.json", options->files, "Files of results")->required();
  command->add_option("-o,--output", options->out, "Where to write it [standard output]");
  command->add_option("--format", options->format, "The form of the output")
      ->check(CLI::IsMember(ReportFormats()))
      ->capture_default_str();
  command->add_option("--baseline", options->baseline, "The runtime that ratios are relative to")
      ->capture_default_str();
  command->callback([options, &chosen] {
    chosen = [options] {
      WriteReport(*options);
      return static_cast<int>(kExitMeasured);
    };
  });
  return command;
}

struct FindingsOptions {
  std::filesystem::path file;
  std::string format = "text";
};

CLI::App* AddFindings(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* command = app.add_subcommand(
      "findings", "Says which published findings a file of results confirms or refutes");
  auto options = std::make_shared<FindingsOptions>();
  command->add_option("FILE.json", options->file, "A file of results")->required();
  command->add_option("--format", options->format, "The form of the output")
      ->check(CLI::IsMember({"text", "markdown", "json"}))
      ->capture_default_str();
  command->callback([options, &chosen] {
    chosen = [options] {
      const ResultFile file = ReadResultFile(options->file);
      if (!file.Unfinished().empty()) std::cerr << "hvbench: " << file.Unfinished() << '\n';
      PrintFindings(JudgeFindings(file), options->format, std::cout);
      return static_cast<int>(kExitMeasured);
    };
  });
  return command;
}

}  // namespace

void AddFileCommands(CLI::App& app, std::function<int()>& chosen) {
  for (const auto add : {AddCompare, AddReport, AddFindings}) {
    add(app, chosen)->allow_extras(false);  // which are Google Benchmark's flags elsewhere
  }
}

}  // namespace hvbench

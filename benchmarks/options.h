// The command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fixtures/protocol/messages.h"

namespace hvbench {

enum class Command { kRun, kSelftest, kDoctor, kCleanup };

struct Options {
  Command command = Command::kRun;
  std::function<int()> file_command;  // of the commands that start nothing; empty: `command`
  bool json = false;                  // of doctor
  std::vector<std::string> runtimes;  // empty: all that are usable
  std::filesystem::path runtimes_file;
  protocol::Profile profile = protocol::kQuick;
  std::string profile_name = "quick";
  int cpus = 1;
  std::int64_t memory_mib = 512;
  std::filesystem::path work_dir;
  std::filesystem::path agent;
  std::filesystem::path load_agent;    // need not exist: then nothing that needs it is measured
  std::filesystem::path guest_kernel;  // empty: as FindGuestKernel finds one
  std::chrono::seconds timeout{120};

  std::string baseline = "native";  // the runtime that the others are compared with
  bool compare = false;             // in A B B A blocks, with these as ComparisonPlan has them
  std::string quantity = "real_time";
  double interval_percent = 2;
  std::chrono::seconds budget{60};
  int selftest_rounds = 4;
  int selftest_blocks = 8;

  // Whether runtimes are compared in turns; else each is measured by itself.
  bool InTurns() const { return compare || command == Command::kSelftest; }

  // Out of Google Benchmark's own flags, which it also sees.
  std::chrono::nanoseconds target_time{0};  // of one repetition
  std::uint64_t fixed_iterations = 0;       // 0: as many as the target time takes
  // Of each benchmark: of one visit in turns, else in all, each in a boot of its own.
  int repetitions = 1;
  bool aggregates_alone_on_screen = false;  // where there are some
  bool aggregates_alone_in_file = false;
  std::string filter;
  bool list_tests = false;
  std::string format = "console";
  std::string out;
  std::string out_format = "json";
  bool resume = false;  // the run whose journal is beside `out`
  // What Google Benchmark gets, without the program's name.
  std::vector<std::string> benchmark_arguments;
};

struct ParsedOptions {
  Options options;
  int exit_status = -1;  // -1: go on; else end with it, the text is printed already
};

ParsedOptions ParseOptions(int argc, char** argv);

}  // namespace hvbench

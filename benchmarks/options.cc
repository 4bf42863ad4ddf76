#include "benchmarks/options.h"

#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <regex>

#include "benchmarks/exit_status.h"
#include "benchmarks/file_commands.h"
#include "benchmarks/manual.h"
#include "benchmarks/text/output.h"
#include "fixtures/run_dir.h"
#include "runtime_launchers/support/work_dir.h"

namespace hvbench {
namespace {

struct ProfileDefaults {
  protocol::Profile profile;
  std::chrono::nanoseconds target_time;
  int repetitions;
};

// Nine repetitions are what compare.py's Mann-Whitney test asks for.
const std::map<std::string, ProfileDefaults>& Profiles() {
  using namespace std::chrono_literals;
  static const std::map<std::string, ProfileDefaults> kProfiles = {
      {"smoke", {protocol::kSmoke, 5ms, 1}},
      {"quick", {protocol::kQuick, 250ms, 3}},
      {"full", {protocol::kFull, 1s, 9}},
  };
  return kProfiles;
}

// A comparison measures more often than a run, and each time for a fifth as long: what differs
// between boots is not known better for measuring one of them longer.
constexpr int kBlockShare = 5;

constexpr char kReportAggregatesOnly[] = "benchmark_report_aggregates_only";
constexpr char kDisplayAggregatesOnly[] = "benchmark_display_aggregates_only";

// Beside this program, as built; else where `cmake --install` puts it.
std::filesystem::path Companion(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const std::string& place : {name, "../libexec/hvbench/" + name}) {
    if (std::filesystem::exists(self / place, error)) return (self / place).lexically_normal();
  }
  return self / name;
}

// The value of the last "--name=value" among the arguments.
std::optional<std::string> FlagValue(const std::vector<std::string>& arguments,
                                     const std::string& name) {
  std::optional<std::string> value;
  const std::string prefix = "--" + name;
  for (const std::string& argument : arguments) {
    if (argument == prefix) value = "true";
    if (argument.starts_with(prefix + "=")) value = argument.substr(prefix.size() + 1);
  }
  return value;
}

// As Google Benchmark has it: all but 0, f, n, false, no and off, in any case of letters, and "".
bool IsTrue(const std::optional<std::string>& value) {
  if (!value) return false;
  std::string text = *value;
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.size() == 1) {
    return std::isalnum(static_cast<unsigned char>(text[0])) != 0 && text != "0" && text != "f" &&
           text != "n";
  }
  return text != "false" && text != "no" && text != "off";
}

// "0.5", "0.5s" or "10x", as Google Benchmark's --benchmark_min_time.
void ParseMinTime(const std::string& text, Options& options) {
  constexpr double kMaxSeconds = 86400;
  constexpr double kMaxIterations = 1e12;
  std::smatch match;
  static const std::regex kForm("([0-9]{0,20}\\.?[0-9]{1,20}(?:[eE][-+]?[0-9]{1,2})?)(s|x)?");
  if (!std::regex_match(text, match, kForm)) {
    throw CLI::ValidationError("--benchmark_min_time", "is not a time like 0.5s: " + text);
  }
  const double number = std::stod(match[1]);
  if (match[2] == "x") {
    if (number < 1 || number > kMaxIterations || number != std::floor(number)) {
      throw CLI::ValidationError("--benchmark_min_time",
                                 "is no number of iterations from 1x to 1e12x: " + text);
    }
    options.fixed_iterations = static_cast<std::uint64_t>(number);
  } else {
    if (number < 1e-9 || number > kMaxSeconds) {
      throw CLI::ValidationError("--benchmark_min_time", "is not from 1 ns to a day: " + text);
    }
    options.target_time = std::chrono::nanoseconds(static_cast<std::int64_t>(number * 1e9));
  }
}

// Reads the flags of Google Benchmark that the suite itself must know, and completes them.
void ReadBenchmarkFlags(Options& options) {
  std::vector<std::string>& arguments = options.benchmark_arguments;
  const ProfileDefaults& profile = Profiles().at(options.profile_name);
  options.profile = profile.profile;
  options.target_time = profile.target_time;
  if (options.InTurns()) options.target_time /= kBlockShare;
  if (const auto value = FlagValue(arguments, "benchmark_min_time")) ParseMinTime(*value, options);
  options.filter = FlagValue(arguments, "benchmark_filter").value_or("");
  options.list_tests = IsTrue(FlagValue(arguments, "benchmark_list_tests"));
  options.format = FlagValue(arguments, "benchmark_format").value_or("console");
  options.out = FlagValue(arguments, "benchmark_out").value_or("");
  options.out_format = FlagValue(arguments, "benchmark_out_format").value_or("json");
  for (const std::string& format : {options.format, options.out_format}) {
    if (format != "console" && format != "json" && format != "csv") {
      throw CLI::ValidationError("--benchmark_format", "is console, json or csv, not " + format);
    }
  }
  const auto repetitions = FlagValue(arguments, "benchmark_repetitions");
  options.repetitions = repetitions         ? std::stoi(*repetitions)
                        : options.InTurns() ? 1
                                            : profile.repetitions;
  options.aggregates_alone_in_file = IsTrue(FlagValue(arguments, kReportAggregatesOnly));
  options.aggregates_alone_on_screen =
      options.aggregates_alone_in_file || IsTrue(FlagValue(arguments, kDisplayAggregatesOnly));
  if (options.command == Command::kSelftest && !options.out.empty()) {
    throw CLI::ValidationError("--benchmark_out", "a self-test writes no file");
  }
  if (options.resume && (options.out.empty() || !IsReplaceable(options.out))) {
    throw CLI::ValidationError("--hvbench_resume", "needs the --benchmark_out of the run");
  }
  // Google Benchmark sees one visit at a time: its file would be emptied by each, and what follows
  // from all of them is ours to say.
  std::erase_if(arguments, [](const std::string& argument) {
    const std::string flag = argument.substr(0, argument.find('='));
    return flag == "--benchmark_out" || flag == "--benchmark_repetitions" ||
           flag == std::string("--") + kReportAggregatesOnly ||
           flag == std::string("--") + kDisplayAggregatesOnly;
  });
  arguments.push_back("--benchmark_repetitions=" +
                      std::to_string(options.InTurns() ? options.repetitions : 1));
  // The agent finds the iteration count, so that Google Benchmark's own search ends with its first
  // run: any time will do.
  std::erase_if(arguments,
                [](const std::string& a) { return a.starts_with("--benchmark_min_time"); });
  arguments.emplace_back("--benchmark_min_time=0.000000001" HVBENCH_MIN_TIME_SUFFIX);
}

// Google Benchmark ends the program with status 1 for a bad value of its flags, with 0, or takes it
// for something else.
void CheckNumber(const std::vector<std::string>& arguments, const std::string& name, int min,
                 int max) {
  const auto value = FlagValue(arguments, name);
  if (!value) return;
  int number = 0;
  const char* const end = value->data() + value->size();
  const auto [parsed, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || parsed != end || number < min || number > max) {
    throw CLI::ValidationError("--" + name, "is not a number from " + std::to_string(min) + " to " +
                                                std::to_string(max) + ": " + *value);
  }
}

void CheckTimeUnit(const std::vector<std::string>& arguments) {
  const auto value = FlagValue(arguments, "benchmark_time_unit");
  if (value && *value != "ns" && *value != "us" && *value != "ms" && *value != "s") {
    throw CLI::ValidationError("--benchmark_time_unit", "is ns, us, ms or s, not " + *value);
  }
}

// Google Benchmark prints a message and exits with 0.
void CheckFilter(const std::string& filter) {
  try {
    // An error in POSIX, but our compiler's library takes "\d" for a "d" where Google Benchmark's
    // does not.
    static const std::regex kEscapedLetter(R"((^|[^\\])(\\\\)*\\[A-Za-z0-9])");
    if (std::regex_search(filter, kEscapedLetter)) {
      throw std::regex_error(std::regex_constants::error_escape);
    }
    const std::regex ignored(filter.starts_with('-') ? filter.substr(1) : filter,
                             std::regex::extended);
  } catch (const std::regex_error& e) {
    throw CLI::ValidationError("--benchmark_filter",
                               "is not a POSIX extended regular expression: " + filter);
  }
}

void AddFlags(CLI::App& app, Options& options) {
  std::vector<std::string> profiles;
  for (const auto& [name, unused] : Profiles()) profiles.push_back(name);
  app.add_option("--hvbench_runtimes", options.runtimes,
                 "Runtimes to measure, separated by commas [all that are usable here]")
      ->delimiter(',');
  app.add_option("--hvbench_runtimes_file", options.runtimes_file,
                 "JSON file with runtimes of your own (docs/runtimes.md)");
  app.add_option("--hvbench_profile", options.profile_name,
                 "smoke: proves that all works; quick: minutes; full: for publication")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  constexpr int kMostCpus = 8192;  // of Linux (NR_CPUS on x86-64)
  app.add_option("--hvbench_cpus", options.cpus, "vCPUs of every guest")
      ->check(CLI::Range(1, kMostCpus))
      ->capture_default_str();
  app.add_option("--hvbench_memory_mib", options.memory_mib, "Memory of every guest, MiB")
      ->check(CLI::Range(64, 16 * 1024 * 1024))
      ->capture_default_str();
  app.add_option("--hvbench_work_dir", options.work_dir,
                 "Images, sockets, scratch files [" + DefaultWorkDir().string() + "]");
  app.add_option("--hvbench_agent", options.agent, "The agent binary [beside this program]");
  app.add_option(
      "--hvbench_guest_kernel", options.guest_kernel,
      "The Linux of virtual machines: a vmlinuz or vmlinux, its modules in ../lib/modules "
      "or /lib/modules [fetched by scripts/bench.sh, else of /boot]");
  app.add_flag("--hvbench_resume", options.resume,
               "Go on with a run that ended early, with its journal beside --benchmark_out");
  int timeout_s = static_cast<int>(options.timeout.count());
  app.add_option_function<int>(
         "--hvbench_timeout_s",
         [&options](int seconds) { options.timeout = std::chrono::seconds(seconds); },
         "Longest wait for one step of one benchmark, seconds [" + std::to_string(timeout_s) + "]")
      ->check(CLI::Range(1, 86400));
}

void AddComparisonFlags(CLI::App& app, Options& options) {
  app.add_option("--hvbench_baseline", options.baseline,
                 "The runtime that the others are compared with")
      ->capture_default_str();
  app.add_flag("--hvbench_compare", options.compare,
               "Compare in A B B A blocks with new guests in each, and say what differs");
  app.add_option("--hvbench_quantity", options.quantity,
                 "What to compare: real_time, cpu_time, or a counter such as host_cpu_ns,\n"
                 "bytes_per_second or pss_bytes; the end of its name says its unit")
      ->capture_default_str();
  app.add_option("--hvbench_interval_percent", options.interval_percent,
                 "A comparison ends when its 95 % intervals are narrower than this")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  const auto budget_s = static_cast<int>(options.budget.count());
  app.add_option_function<int>(
         "--hvbench_budget_s",
         [&options](int seconds) { options.budget = std::chrono::seconds(seconds); },
         "Or after this many seconds [" + std::to_string(budget_s) + "]")
      ->check(CLI::Range(1, 7 * 86400));
}

CLI::App* AddSelftest(CLI::App& app, Options& options) {
  CLI::App* selftest = app.add_subcommand(
      "selftest", "Compares each runtime with itself: says how often it finds what is not there");
  selftest->add_option("--rounds", options.selftest_rounds, "Comparisons of each benchmark")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  selftest->add_option("--blocks", options.selftest_blocks, "A B B A blocks of a comparison")
      ->check(CLI::Range(2, 100'000))
      ->capture_default_str();
  return selftest;
}

}  // namespace

ParsedOptions ParseOptions(int argc, char** argv) {
  ParsedOptions parsed;
  Options& options = parsed.options;
  CLI::App app(
      "Measures what isolation costs: the same kernels in native, containers, sandboxes and VMs.\n"
      "Takes every --benchmark_* flag of Google Benchmark, for example\n"
      "--benchmark_filter=runtime:gvisor/, --benchmark_out=r.json, --benchmark_repetitions=9.");
  app.name("hvbench");
  app.set_version_flag("--version", HVBENCH_VERSION);
  app.allow_extras();
  AddFlags(app, options);
  AddComparisonFlags(app, options);
  CLI::App* doctor =
      app.add_subcommand("doctor", "Says which runtimes are usable here, and why not");
  doctor->add_flag("--json", options.json, "As JSON");
  CLI::App* cleanup = app.add_subcommand("cleanup", "Removes what killed runs left behind");
  CLI::App* selftest = AddSelftest(app, options);
  AddFileCommands(app, options.file_command);
  AddManualCommands(app, options.file_command);
  for (CLI::App* command : {doctor, cleanup, selftest}) command->fallthrough();
  // What CLI11 calls subcommands.
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
  try {
    app.parse(argc, argv);
    options.benchmark_arguments = app.remaining();
    for (const std::string& argument : options.benchmark_arguments) {
      if (!argument.starts_with("--benchmark_") && !argument.starts_with("--v=")) {
        throw CLI::ExtrasError({argument});
      }
    }
    if (doctor->parsed()) options.command = Command::kDoctor;
    if (cleanup->parsed()) options.command = Command::kCleanup;
    if (selftest->parsed()) options.command = Command::kSelftest;
    if (options.file_command) return parsed;
    if (options.work_dir.empty()) options.work_dir = DefaultWorkDir();
    options.work_dir = std::filesystem::absolute(options.work_dir);
    if (options.agent.empty()) options.agent = Companion("hvbench-agent");
    options.agent = std::filesystem::absolute(options.agent);
    options.load_agent = Companion("hvbench-load");
    CheckNumber(options.benchmark_arguments, "benchmark_repetitions", 1, 1'000'000);
    CheckNumber(options.benchmark_arguments, "v", 0, 1000);
    CheckTimeUnit(options.benchmark_arguments);
    ReadBenchmarkFlags(options);
    CheckFilter(options.filter);
  } catch (const CLI::CallForHelp& e) {
    parsed.exit_status = app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    parsed.exit_status = app.exit(e);
  } catch (const std::filesystem::filesystem_error& e) {
    std::cerr << "hvbench: there is no current directory to which a path could be relative: "
              << e.path1().string() << '\n';
    parsed.exit_status = kExitUsage;
  } catch (const CLI::Error& e) {
    std::cerr << "hvbench: " << e.what() << "; see hvbench --help\n";
    parsed.exit_status = kExitUsage;
  }
  return parsed;
}

}  // namespace hvbench

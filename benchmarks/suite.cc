#include "benchmarks/suite.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/cells.h"
#include "benchmarks/comparison_run.h"
#include "benchmarks/doctor.h"
#include "benchmarks/environment_flags.h"
#include "benchmarks/exit_status.h"
#include "benchmarks/options.h"
#include "benchmarks/plain_run.h"
#include "benchmarks/report/buffered_reporter.h"
#include "benchmarks/report/progress.h"
#include "benchmarks/report/screen_reporter.h"
#include "benchmarks/results/result_checks.h"
#include "benchmarks/results/row.h"
#include "benchmarks/run_ends.h"
#include "benchmarks/run_record.h"
#include "benchmarks/runtime_selection.h"
#include "benchmarks/selftest.h"
#include "benchmarks/subsystems/subsystem.h"
#include "benchmarks/text/escape.h"
#include "benchmarks/text/output.h"
#include "benchmarks/trusted_inputs.h"
#include "fixtures/host_cache.h"
#include "fixtures/images/application_root.h"
#include "fixtures/images/image_cache.h"
#include "fixtures/netlab/load_agent.h"
#include "fixtures/netlab/netlab.h"
#include "fixtures/run_dir.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/process_state.h"

namespace hvbench {
namespace {

// The command line or the machine does not allow what was asked for: exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

void InitializeBenchmark(const Options& options, const char* program) {
  // Static, because Google Benchmark keeps a pointer to the program's name.
  static std::vector<std::string> arguments;
  arguments = {CleanText(program)};  // which stands in the JSON
  for (const std::string& argument : options.benchmark_arguments) {
    const bool stands_there = argument.starts_with("--benchmark_context=");
    arguments.push_back(stands_there ? CleanText(argument) : argument);
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (argc > 1) throw UsageError(std::string("unknown flag ") + argv[1]);
}

// A self-test compares equals, and a 95 % interval promises no more false positives than this.
constexpr double kMaxFalsePositives = 0.05;

ComparisonPlan PlanOf(const Options& options) {
  ComparisonPlan plan;
  plan.baseline = options.baseline;
  plan.quantity = options.quantity;
  plan.width = options.interval_percent / 100;
  plan.budget = options.budget;
  return plan;
}

// One run from the probe to the exit status.
class Suite {
 public:
  Suite(const Options& options, std::vector<Runtime>& runtimes)
      : options_(options), runtimes_(runtimes) {}

  int Run(const char* program) {
    InitializeBenchmark(options_, program);
    record_.emplace(options_);
    agent_ = DescribeAgent(options_.agent);
    if (std::filesystem::exists(options_.load_agent)) load_ = DescribeAgent(options_.load_agent);
    CollectKernels();
    std::vector<Runtime*> wanted = SelectRuntimes(runtimes_, options_.runtimes);
    wanted = WithMatchingCells(std::move(wanted));
    if (!options_.list_tests) {
      // Where Google Benchmark cannot read this it ends the program, which must have made nothing.
      benchmark::CPUInfo::Get();
      run_dir_.emplace(BeginRun(options_));
    }
    Probe(wanted);
    std::vector<std::string> names;
    for (const ProbedRuntime& probed : usable_) names.push_back(probed.runtime->name());
    cells_ = MatchingCells(names);
    if (cells_.empty()) {
      std::cerr << "hvbench: no benchmark matches --benchmark_filter=" << options_.filter << '\n';
      return kExitNoMatch;
    }
    if (options_.compare) CheckBaseline();
    if (options_.command == Command::kSelftest) AddTwins();
    return options_.list_tests ? List() : Measure();
  }

 private:
  // Load that nothing in this agent's guests serves is left out.
  void CollectKernels() {
    for (const auto& kernel : agent_.manifest.kernels) settings_.kernels[kernel.name] = kernel;
    std::erase_if(load_.manifest.kernels, [&](const protocol::KernelDescription& kernel) {
      return !settings_.kernels.contains(kernel.server);
    });
    for (const auto& kernel : load_.manifest.kernels) settings_.kernels[kernel.name] = kernel;
  }

  std::set<std::string> ServerPackages() const {
    std::set<std::string> packages;
    for (const auto& [name, kernel] : settings_.kernels) {
      packages.insert(kernel.packages.begin(), kernel.packages.end());
    }
    return packages;
  }

  std::vector<CellName> MatchingCells(const std::vector<std::string>& runtimes) const {
    std::vector<CellName> cells =
        MakeCells(agent_.manifest, options_.profile, options_.cpus, runtimes);
    for (const auto& more :
         {MakeHostCells(settings_.kernels, options_.profile, runtimes),
          MakeCells(load_.manifest, options_.profile, options_.cpus, runtimes)}) {
      cells.insert(cells.end(), more.begin(), more.end());
    }
    std::erase_if(cells, [&](const CellName& cell) { return !Matches(cell, options_.filter); });
    return cells;
  }

  // Others need not be probed.
  std::vector<Runtime*> WithMatchingCells(std::vector<Runtime*> runtimes) const {
    std::erase_if(runtimes,
                  [&](const Runtime* runtime) { return MatchingCells({runtime->name()}).empty(); });
    return runtimes;
  }

  void Probe(const std::vector<Runtime*>& wanted) {
    const RunDir* const run_dir = run_dir_ ? &*run_dir_ : nullptr;
    for (const ProbedRuntime& probed : ProbeRuntimes(wanted, options_.agent, run_dir)) {
      const bool named = !options_.runtimes.empty();
      if (probed.probe.usable && (named || probed.probe.passed_over.empty())) {
        usable_.push_back(probed);
      } else if (named) {
        throw UsageError(Explain(probed));
      } else if (!options_.list_tests) {
        std::cerr << "hvbench: left out: " << Explain(probed) << '\n';
      }
    }
  }

  void CheckBaseline() const {
    if (std::none_of(cells_.begin(), cells_.end(),
                     [&](const CellName& cell) { return cell.runtime == options_.baseline; })) {
      throw UsageError("--hvbench_compare compares with " + options_.baseline +
                       ", which is not measured; choose another with --hvbench_baseline");
    }
  }

  // For a self-test each runtime is there twice.
  void AddTwins() {
    twins_.reserve(usable_.size());
    std::vector<ProbedRuntime> with_twins;
    for (const ProbedRuntime& probed : usable_) {
      RuntimeOptions twin = probed.runtime->options;
      twin.name = TwinOf(twin.name);
      twins_.push_back(MakeRuntime(probed.runtime->kind, std::move(twin)));
      with_twins.push_back(probed);
      with_twins.push_back({&twins_.back(), probed.probe});
    }
    usable_ = std::move(with_twins);
    std::vector<CellName> cells;
    for (const CellName& cell : cells_) {
      cells.push_back(cell);
      cells.push_back({cell.kernel, cell.params, TwinOf(cell.runtime)});
    }
    cells_ = std::move(cells);
  }

  void RegisterCells() {
    for (const CellName& cell : cells_) Register(FixtureOf(cell.Subsystem())(cell, settings_));
  }

  int List() {
    RegisterCells();
    benchmark::RunSpecifiedBenchmarks();
    return kExitMeasured;
  }

  int Measure();
  // Fills in settings_' share of it. Nothing if no cell needs a network, or it cannot be had.
  std::unique_ptr<NetLab> MakeNetLab(const std::vector<int>& guest_cpus,
                                     const std::vector<int>& host_cpus);
  int Selftest(GuestPool& pool, Progress& progress);
  using Groups = std::vector<std::vector<JournalContents::Row>>;
  // Both return what was measured, with the rows of each benchmark, and fill in `results`.
  Groups MeasurePlainly(GuestPool& pool, Progress& progress, Results& results);
  Groups MeasureInTurns(GuestPool& pool, Progress& progress, Results& results);
  void Show(const Groups& groups, const Results& results);

  const Options& options_;
  std::vector<Runtime>& runtimes_;
  std::optional<RunDir> run_dir_;  // nothing where nothing is started
  AgentDescription agent_;
  AgentDescription load_;  // the load generator; without kernels where there is none
  std::vector<ProbedRuntime> usable_;
  std::vector<Runtime> twins_;  // of a self-test
  std::vector<CellName> cells_;
  std::optional<RunRecord> record_;  // from Run on
  RunSettings settings_;
};

std::unique_ptr<NetLab> Suite::MakeNetLab(const std::vector<int>& guest_cpus,
                                          const std::vector<int>& host_cpus) {
  const bool needed = std::any_of(cells_.begin(), cells_.end(), [&](const CellName& cell) {
    return NeedsPeer(settings_.kernels, cell.kernel);
  });
  if (!needed) return nullptr;
  auto netlab = std::make_unique<NetLab>(run_dir_->path() / "netlab", options_.agent,
                                         ChoosePeerCpus(host_cpus, guest_cpus, options_.cpus));
  try {
    netlab->Start();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    settings_.netlab_problem = std::string("no network can be made here: ") + error.what();
    std::cerr << "hvbench: warning: " << settings_.netlab_problem << '\n';
    return nullptr;
  }
  record_->context().AddNetwork(*netlab);
  settings_.netlab = netlab.get();
  return netlab;
}

int Suite::Measure() {
  record_->Begin(usable_, cells_);
  const std::vector<int> host_cpus = UsableCpus();
  GuestPoolOptions pool_options;
  pool_options.agent = options_.agent;
  pool_options.shape = {options_.cpus, options_.memory_mib,
                        ChooseGuestCpus(host_cpus, options_.cpus)};
  record_->Warn(CheckHost(pool_options.shape.host_cpus));
  for (const auto& [key, value] : agent_.hello.facts) {
    if (key == "process_state") record_->Warn(CheckProcessState(value));
  }
  LeaveCpusToGuests(host_cpus, pool_options.shape.host_cpus);

  const std::unique_ptr<NetLab> netlab = MakeNetLab(pool_options.shape.host_cpus, host_cpus);
  const ApplicationRoot applications(FindApplicationRoot(), ImagesDir(options_));
  std::optional<LoadAgent> load;
  if (netlab) {
    load.emplace(options_.load_agent, run_dir_->path() / "load", *netlab);
    settings_.load = &*load;
  }
  pool_options.boots_before = static_cast<int>(record_->journal().contents().last_boot());
  pool_options.netlab = netlab.get();
  pool_options.applications = &applications;
  std::vector<Runtime*> runtimes;
  for (const ProbedRuntime& probed : usable_) runtimes.push_back(probed.runtime);
  GuestPool pool(*run_dir_, runtimes, pool_options);
  record_->context().AddRun(options_, agent_.hello.build_id, pool_options.shape);
  for (const ProbedRuntime& probed : usable_) record_->context().AddRuntime(probed);
  pool.on_boot = [&](const std::string& runtime, GuestKind kind, LiveGuest& guest) {
    if (guest.hello().build_id != agent_.hello.build_id) {
      throw Error("the guest runs another agent than " + options_.agent.string());
    }
    if (kind == GuestKind::kApplication)
      record_->context().AddApplications(applications, ServerPackages());
    record_->context().AddGuest(runtime + (kind == GuestKind::kApplication ? ".application" : ""),
                                guest);
  };

  settings_.pool = &pool;
  settings_.llc_bytes = LastLevelCacheBytes(pool_options.shape.host_cpus);
  settings_.target_time = options_.target_time;
  settings_.fixed_iterations = options_.fixed_iterations;
  settings_.cell_timeout = options_.timeout;
  settings_.profile = options_.profile;
  if (options_.InTurns()) {
    settings_.repetitions = options_.repetitions;
  } else {
    settings_.visits = options_.repetitions;
  }
  settings_.start = record_->start();
  settings_.on_measured = [&](const MeasuredRepetition& repetition) { record_->Add(repetition); };
  RegisterCells();
  Progress progress;
  if (options_.command == Command::kSelftest) return Selftest(pool, progress);
  Results results;
  const Groups groups = options_.compare ? MeasureInTurns(pool, progress, results)
                                         : MeasurePlainly(pool, progress, results);
  progress.Clear();
  Show(groups, results);
  run_dir_->ReleaseSpareDescriptor();  // for the file of results
  const ShownRows written =
      options_.aggregates_alone_in_file ? ShownRows::kAggregates : ShownRows::kAll;
  return record_->Conclude(results, RowsOf(groups, written));
}

Suite::Groups Suite::MeasurePlainly(GuestPool& pool, Progress& progress, Results& results) {
  PlainRun run(cells_, options_.repetitions, pool);
  Journal& journal = record_->journal();
  run.Resume(journal.contents().RowsToGoOnWith(), journal.contents().blocks());
  progress.Begin(run.VisitsLeft());
  settings_.on_repetition = [&](const CellName& cell) { progress.BeginRepetition(cell); };
  run.visits().on_visit = [&](const std::string& name, const auto& visit) {
    const bool skipped = std::all_of(visit.begin(), visit.end(), [](const auto& row) {
      return OutcomeOf(row) == Outcome::kSkipped;
    });
    // What was interrupted or failed is measured again by a run that goes on.
    const bool complete = skipped ? !InterruptRequested() : run.IsWhole(name);
    journal.AddBenchmark(name, run.visits().RowsOf(name), complete);
  };
  run.on_block = [&](int block, std::chrono::duration<double> elapsed) {
    journal.EndBlock(block, elapsed.count());
  };
  run.Run();
  for (const std::string& problem : run.problems()) progress.Note(problem);
  results = run.visits().results();
  return run.visits().Groups();
}

Suite::Groups Suite::MeasureInTurns(GuestPool& pool, Progress& progress, Results& results) {
  const ComparisonPlan plan = PlanOf(options_);
  ComparisonRun run(cells_, plan, pool, [&](const std::string& line) { progress.Note(line); });
  Journal& journal = record_->journal();
  const JournalContents& before = journal.contents();
  run.Resume(before.RowsToGoOnWith(), before.blocks(),
             std::chrono::duration<double>(before.elapsed_s()));
  run.visits().on_visit = [&](const std::string& name, const auto& visit) {
    journal.AddVisit(name, visit);
  };
  run.on_block = [&](int block, std::chrono::duration<double> elapsed) {
    journal.EndBlock(block, elapsed.count());
  };
  run.Run();
  for (const std::string& problem : run.problems()) progress.Note(problem);
  record_->context().AddComparison(plan.baseline, options_.interval_percent, run.blocks());
  results = run.results();
  return run.visits().Groups();
}

void Suite::Show(const Groups& groups, const Results& results) {
  // A screen has no room for each visit of each block.
  const bool aggregates_alone =
      options_.aggregates_alone_on_screen || (options_.compare && options_.format == "console");
  BufferedReporter display(MakeDisplay(options_.format), [&] { record_->Publish(results); });
  Deliver(RowsOf(groups, aggregates_alone ? ShownRows::kAggregates : ShownRows::kAll), display);
}

int Suite::Selftest(GuestPool& pool, Progress& progress) {
  ComparisonPlan plan = PlanOf(options_);
  plan.max_blocks = options_.selftest_blocks;
  std::vector<SelftestCount> counts;
  for (const ProbedRuntime& probed : usable_) {
    const std::string& runtime = probed.runtime->name();
    const bool is_twin = std::any_of(twins_.begin(), twins_.end(),
                                     [&](const Runtime& twin) { return &twin == probed.runtime; });
    if (is_twin) continue;
    counts.push_back(RunSelftest(runtime, cells_, plan, options_.selftest_rounds, pool,
                                 [&](const std::string& line) { progress.Note(line); }));
  }
  PrintSelftest(counts, std::cout);
  if (InterruptRequested()) return kExitInterrupted;
  const bool good = std::all_of(counts.begin(), counts.end(), [](const SelftestCount& count) {
    return count.comparisons > 0 && count.FalsePositiveRate() <= kMaxFalsePositives;
  });
  return good ? kExitMeasured : kExitFailed;
}

int RunDoctor(const Options& options, std::vector<Runtime>& runtimes) {
  const std::vector<Runtime*> selected = SelectRuntimes(runtimes, options.runtimes);
  const RunDir run_dir = BeginRun(options);
  const auto probed = ProbeRuntimes(selected, options.agent, &run_dir);
  options.json ? PrintDoctorJson(probed, std::cout) : PrintDoctor(probed, std::cout);
  return kExitMeasured;
}

int Perform(const Options& options, const char* program) {
  try {
    if (options.file_command) return options.file_command();
    StateOwnProcess();
    BeginProgram();
    CheckTrustedInputs(options);
    CheckWritable(options.out);
    ImageCache images(ImagesDir(options), FindGuestKernel(options.guest_kernel));
    std::vector<Runtime> runtimes = MakeRuntimes(options.runtimes_file, &images);
    if (options.command == Command::kDoctor) return RunDoctor(options, runtimes);
    if (options.command == Command::kCleanup) return RunCleanup(options, runtimes);
    return Suite(options, runtimes).Run(program);
  } catch (const Interrupted&) {
    std::cerr << "hvbench: interrupted\n";
    return kExitInterrupted;
  } catch (const OutputError& e) {
    std::cerr << "hvbench: " << e.what() << '\n';
    return kExitFailed;
  } catch (const std::exception& e) {
    std::cerr << "hvbench: " << e.what() << '\n';
    return kExitUsage;
  }
}

}  // namespace

int Main(int argc, char** argv) {
  if (!TakeFlagsFromEnvironment(argc, argv)) return kExitUsage;
  const ProgramEnd end;
  OpenStandardStreams();
  const TerminalFilter filter(std::cerr);
  const ParsedOptions parsed = ParseOptions(argc, argv);
  const int status =
      parsed.exit_status >= 0 ? parsed.exit_status : Perform(parsed.options, argv[0]);
  try {
    FlushStandardOutput();
  } catch (const OutputError& e) {
    std::cerr << "hvbench: " << e.what() << '\n';
    if (status == kExitMeasured) return kExitFailed;
  }
  return status;
}

}  // namespace hvbench

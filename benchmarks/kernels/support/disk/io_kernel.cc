#include "benchmarks/kernels/support/disk/io_kernel.h"

#include <bit>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace hvbench::agent::kernels {

void IoKernel::Prepare(const Context& context) {
  block_bytes_ = context.Number("block_kib") * kKiB;
  const std::uint64_t jobs = context.Number("jobs");
  const std::uint64_t bytes = context.Number("file_mib") * kMiB;
  JobOptions options;
  options.engine = context.Text("engine");
  options.depth = static_cast<unsigned>(context.Number("depth"));
  options.mode = mode_;
  options.block_bytes = block_bytes_;
  options.clock = context.clock();
  if (block_bytes_ < kSectorBytes || !std::has_single_bit(block_bytes_) || jobs == 0 ||
      options.depth == 0 || bytes / block_bytes_ < jobs) {
    throw std::invalid_argument("the sizes of this disk cell do not fit together");
  }
  sectors_.emplace(context.seed(), block_bytes_);
  file_.emplace(context, bytes, context.Number("direct") != 0);
  options.fd = file_->fd();
  const BlockRange blocks{0, bytes / block_bytes_};
  for (std::uint64_t job = 0; job < jobs; ++job) {
    options.range = blocks.PartOf(job, jobs);
    options.seed = Mix(context.seed() + job + 1);
    jobs_.push_back(std::make_unique<Job>(options, *sectors_));
  }
  file_->LayOut(*sectors_);
  file_->DropCache();
  crew_ = std::make_unique<Crew>(jobs, [this](std::size_t member, std::uint64_t iterations) {
    // As even as can be: the first ones do one more.
    const std::uint64_t share = iterations / jobs_.size();
    jobs_[member]->Run(share + (member < iterations % jobs_.size() ? 1 : 0), generation_);
  });
}

void IoKernel::Run(std::uint64_t iterations) {
  ++generation_;
  has_run_ = true;
  crew_->Release(iterations);
  crew_->Await();
  for (const auto& job : jobs_) {
    if (job->Failure()) std::rethrow_exception(job->Failure());
  }
}

void IoKernel::Verify() {
  if (!std::exchange(has_run_, false)) throw WrongResult("nothing was read or written");
  CheckOperations();
  if (mode_.Writes()) CheckWrites();
}

void IoKernel::CheckOperations() {
  for (const auto& job : jobs_) {
    if (job->right() == job->operations()) continue;
    throw WrongResult(std::to_string(job->operations() - job->right()) + " of " +
                      std::to_string(job->operations()) +
                      " operations moved a wrong block, one of them at byte " +
                      std::to_string(job->wrong_offset()));
  }
}

void IoKernel::CheckWrites() const {
  std::vector<bool> written(file_->bytes() / block_bytes_);
  for (const auto& job : jobs_) {
    AccessPattern accesses = job->Accesses(generation_);
    for (std::uint64_t i = 0; i < job->operations(); ++i) {
      const Access access = accesses.Next();
      if (access.is_write) written[access.block] = true;
    }
  }
  CheckWritten(*file_, *sectors_, written, generation_);
}

std::vector<protocol::Counter> IoKernel::Counters() const {
  LatencyHistogram latency;
  for (const auto& job : jobs_) latency.Merge(job->latency());
  return latency.Counters();
}

namespace {

protocol::Params ParamsOf(const IoCell& cell) {
  return {{"engine", cell.engine},
          {"block_kib", std::to_string(cell.block_kib)},
          {"depth", std::to_string(cell.depth)},
          {"jobs", std::to_string(cell.jobs)},
          {"direct", cell.direct ? "1" : "0"},
          {"target", cell.target},
          {"file_mib", std::to_string(cell.file_mib)}};
}

std::vector<IoCell> SmokeCells() {
  std::vector<IoCell> cells = {{.engine = "psync", .direct = false, .target = "root"},
                               {.engine = "libaio", .depth = 4},
                               {.engine = "io_uring", .depth = 4, .jobs = 2},
                               {.engine = "io_uring_fixed", .depth = 4, .target = "root"},
                               {.engine = "psync", .target = "raw"},
                               {.engine = "psync", .direct = false, .target = "tmpfs"}};
  for (IoCell& cell : cells) cell.file_mib = 1;
  return cells;
}

std::vector<IoCell> FullCells() {
  std::vector<IoCell> cells = {BufferedIoCell(4), BufferedIoCell(128), BufferedIoCell(1024),
                               TmpfsIoCell(4), TmpfsIoCell(128)};
  for (const char* engine : {"libaio", "io_uring", "io_uring_fixed"}) {
    for (const unsigned depth : {1u, 4u, 8u, 32u}) {
      cells.push_back(IoCellOn("volume", engine, 4, depth));
    }
  }
  for (const unsigned block_kib : {4u, 64u, 128u, 1024u}) {
    cells.push_back(IoCellOn("volume", "psync", block_kib, 1));
    cells.push_back(IoCellOn("volume", "libaio", block_kib, 32));
    cells.push_back(IoCellOn("volume", "io_uring", block_kib, 32));
  }
  for (const char* target : {"root", "raw"}) {
    cells.push_back(IoCellOn(target, "psync", 4, 1));
    cells.push_back(IoCellOn(target, "libaio", 4, 32));
    cells.push_back(IoCellOn(target, "io_uring", 4, 32));
    cells.push_back(IoCellOn(target, "libaio", 128, 32));
  }
  for (const unsigned jobs : {2u, 4u, 8u, 16u}) {
    cells.push_back({.engine = "psync", .jobs = jobs});
    cells.push_back({.engine = "libaio", .depth = 32, .jobs = jobs});
  }
  return cells;
}

}  // namespace

std::vector<protocol::ParameterSet> IoParameterSets(const std::vector<IoCell>& quick) {
  std::vector<protocol::ParameterSet> sets;
  for (const IoCell& cell : SmokeCells()) sets.push_back({kSmoke, ParamsOf(cell), cell.jobs});
  std::set<protocol::Params> known;
  for (const IoCell& cell : quick) {
    sets.push_back({kReal, ParamsOf(cell), cell.jobs});
    known.insert(ParamsOf(cell));
  }
  for (const IoCell& cell : FullCells()) {
    if (known.insert(ParamsOf(cell)).second) sets.push_back({kFull, ParamsOf(cell), cell.jobs});
  }
  return OnTargets(std::move(sets));
}

}  // namespace hvbench::agent::kernels

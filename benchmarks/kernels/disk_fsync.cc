// Making an overwritten block durable.
#include <optional>
#include <vector>

#include "benchmarks/kernels/support/disk/access_pattern.h"
#include "benchmarks/kernels/support/disk/durable.h"
#include "benchmarks/kernels/support/disk/target.h"
#include "benchmarks/kernels/support/latency_histogram.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class Fsync : public Kernel {
 public:
  void Prepare(const Context& context) override {
    clock_ = context.clock();
    sync_.emplace(context);
    block_.resize(context.Number("block_kib") * kKiB);
    sectors_.emplace(context.seed(), block_.size());
    file_.emplace(context, context.Number("file_mib") * kMiB, /*direct=*/false);
    file_->LayOut(*sectors_);
    file_->DropCache();
    written_.resize(file_->bytes() / block_.size());
    seed_ = context.seed();
  }

  // The histogram is of the call that syncs; the time of the batch has the write as well.
  void Run(std::uint64_t iterations) override {
    ++generation_;
    written_.assign(written_.size(), false);
    latency_.Reset();
    AccessPattern accesses({.random = true, .read_percent = 0}, {0, written_.size()},
                           Mix(seed_ + generation_));
    for (std::uint64_t i = 0; i < iterations; ++i) {
      const std::uint64_t block = accesses.Next().block;
      const std::uint64_t offset = block * block_.size();
      sectors_->Fill(block_, offset, generation_);
      const auto wanted = static_cast<ssize_t>(block_.size());
      if (pwrite(file_->fd(), block_.data(), block_.size(), static_cast<off_t>(offset)) != wanted) {
        throw KernelFailed("write at byte " + std::to_string(offset), errno);
      }
      const std::uint64_t begin = clock_.NowNs();
      (*sync_)(file_->fd());
      latency_.Record(clock_.NowNs() - begin);
      written_[block] = true;
    }
    has_run_ = true;
  }

  void Verify() override {
    if (!std::exchange(has_run_, false)) throw WrongResult("nothing was written");
    file_->DropCache();
    CheckWritten(*file_, *sectors_, written_, generation_);
  }

  Work WorkPerIteration() const override { return {.items = 1, .bytes = block_.size()}; }
  std::vector<protocol::Counter> Counters() const override { return latency_.Counters(); }

 private:
  GuestClock clock_;
  std::optional<SyncCall> sync_;
  std::vector<std::byte> block_;
  std::optional<Sectors> sectors_;
  std::optional<TargetFile> file_;
  std::vector<bool> written_;  // by block, in the last batch
  std::uint64_t seed_ = 0;
  std::uint64_t generation_ = 0;
  LatencyHistogram latency_;
  bool has_run_ = false;
};

protocol::Params FsyncCell(const char* call, const char* target, const char* file_mib) {
  return {{"call", call}, {"block_kib", "4"}, {"target", target}, {"file_mib", file_mib}};
}

HVBENCH_KERNEL(Fsync, .name = "disk/fsync",
               .summary = "Overwrites a random block and makes it durable", .unit = "call",
               .parameter_sets = OnTargets({{kSmoke, FsyncCell("fsync", "root", "1")},
                                            {kSmoke, FsyncCell("fdatasync", "volume", "1")},
                                            {kReal, FsyncCell("fsync", "volume", "32")},
                                            {kReal, FsyncCell("fdatasync", "volume", "32")},
                                            {kReal, FsyncCell("fdatasync", "root", "32")},
                                            {kReal, FsyncCell("fdatasync", "raw", "32")},
                                            {kFull, FsyncCell("fsync", "root", "32")},
                                            {kFull, FsyncCell("fsync", "raw", "32")}}));

}  // namespace
}  // namespace hvbench::agent::kernels

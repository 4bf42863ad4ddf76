// Durable appending, as a log does it: the file grows, so its length must become durable as well.
#include <optional>
#include <vector>

#include "benchmarks/kernels/support/disk/durable.h"
#include "benchmarks/kernels/support/disk/target.h"
#include "benchmarks/kernels/support/latency_histogram.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class Append : public Kernel {
 public:
  void Prepare(const Context& context) override {
    clock_ = context.clock();
    sync_.emplace(context);
    block_.resize(context.Number("block_kib") * kKiB);
    sectors_.emplace(context.seed(), block_.size());
    file_.emplace(context, context.Number("file_mib") * kMiB, /*direct=*/false);
    if (file_->is_device()) throw Unsupported("a block device does not grow");
    if (fcntl(file_->fd(), F_SETFL, O_APPEND) != 0) throw KernelFailed("O_APPEND", errno);
  }

  // The file is emptied at the beginning, and when it has reached its size.
  void Run(std::uint64_t iterations) override {
    latency_.Reset();
    ++generation_;
    length_ = file_->bytes();
    for (std::uint64_t i = 0; i < iterations; ++i) {
      if (length_ + block_.size() > file_->bytes()) {
        if (ftruncate(file_->fd(), 0) != 0) throw KernelFailed("ftruncate", errno);
        length_ = 0;
      }
      sectors_->Fill(block_, length_, generation_);
      const std::uint64_t begin = clock_.NowNs();
      if (write(file_->fd(), block_.data(), block_.size()) != static_cast<ssize_t>(block_.size())) {
        throw KernelFailed("append at byte " + std::to_string(length_), errno);
      }
      (*sync_)(file_->fd());
      latency_.Record(clock_.NowNs() - begin);
      length_ += block_.size();
    }
  }

  // What the file holds since it was emptied last.
  void Verify() override {
    const std::uint64_t length = std::exchange(length_, 0);
    if (length == 0) throw WrongResult("nothing was appended");
    if (lseek(file_->fd(), 0, SEEK_END) != static_cast<off_t>(length)) {
      throw WrongResult("the file does not have the length of what was appended");
    }
    posix_fadvise(file_->fd(), 0, 0, POSIX_FADV_DONTNEED);
    for (std::uint64_t at = 0; at < length; at += kSectorBytes) {
      std::array<std::byte, kSectorBytes> sector;
      file_->Read(sector, at);
      if (!sectors_->IsIntact(sector.data(), at) ||
          Sectors::HeaderOf(sector.data()).generation != generation_) {
        throw WrongResult("byte " + std::to_string(at) + " does not hold what was appended");
      }
    }
  }

  Work WorkPerIteration() const override { return {.items = 1, .bytes = block_.size()}; }
  std::vector<protocol::Counter> Counters() const override { return latency_.Counters(); }

 private:
  GuestClock clock_;
  std::optional<SyncCall> sync_;
  std::vector<std::byte> block_;
  std::optional<Sectors> sectors_;
  std::optional<TargetFile> file_;
  std::uint64_t length_ = 0;  // of the file, as far as it was appended
  std::uint64_t generation_ = 0;
  LatencyHistogram latency_;
};

protocol::Params AppendCell(const char* call, const char* target, const char* file_mib) {
  return {{"call", call}, {"block_kib", "4"}, {"target", target}, {"file_mib", file_mib}};
}

HVBENCH_KERNEL(Append, .name = "disk/append",
               .summary = "Appends a block to a file and makes it durable", .unit = "block",
               .parameter_sets = OnTargets({{kSmoke, AppendCell("fdatasync", "root", "1")},
                                            {kSmoke, AppendCell("fdatasync", "volume", "1")},
                                            {kReal, AppendCell("fdatasync", "volume", "32")},
                                            {kReal, AppendCell("fdatasync", "root", "32")},
                                            {kFull, AppendCell("fsync", "volume", "32")},
                                            {kFull, AppendCell("fsync", "root", "32")}}));

}  // namespace
}  // namespace hvbench::agent::kernels

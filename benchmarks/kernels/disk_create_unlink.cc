// Making and removing the names of empty files, on a file system that nothing else has used: an
// ext4 without a journal looks at each inode that was freed in the last minutes before it takes one
// (recently_deleted in the kernel's fs/ext4/ialloc.c), whoever freed it.
#include <optional>

#include "benchmarks/kernels/support/disk/entry_directory.h"
#include "benchmarks/kernels/support/tally.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class CreateUnlink : public Kernel {
 public:
  void Prepare(const Context& context) override {
    clock_ = context.clock();
    entries_ = context.Number("entries");
    if (entries_ == 0) throw std::invalid_argument("entries is 0");
    directory_.emplace(context);
    // The first files find no inode in a cache. An emulated machine would take long for all.
    const std::uint64_t end = clock_.NowNs() + kMostWarmUpNs;
    for (std::uint64_t i = 0; i < entries_ && clock_.NowNs() < end; ++i) {
      directory_->Create({'f', i});
    }
    directory_->ForEachName([this](const char* name) { unlinkat(directory_->fd(), name, 0); });
  }

  // In rounds: as many files as the directory should hold at most, then none.
  void Run(std::uint64_t iterations) override {
    created_ns_ = unlinked_ns_ = 0;
    iterations_ = iterations;
    std::uint64_t right = 0;
    for (std::uint64_t done = 0; done < iterations;) {
      const std::uint64_t round = std::min(entries_, iterations - done);
      const std::uint64_t begin = clock_.NowNs();
      std::uint64_t created = 0;
      for (std::uint64_t i = 0; i < round; ++i) created += directory_->Create({'f', i}) ? 1u : 0u;
      const std::uint64_t middle = clock_.NowNs();
      std::uint64_t unlinked = 0;
      for (std::uint64_t i = 0; i < round; ++i) {
        unlinked += unlinkat(directory_->fd(), EntryName('f', i).get(), 0) == 0 ? 1u : 0u;
      }
      created_ns_ += middle - begin;
      unlinked_ns_ += clock_.NowNs() - middle;
      right += std::min(created, unlinked);
      done += round;
    }
    tally_.Record(iterations, right);
  }

  void Verify() override {
    tally_.Verify("create and unlink");
    directory_->ForEachName(
        [](const char* name) { throw WrongResult(std::string(name) + " was not removed"); });
  }

  std::vector<protocol::Counter> Counters() const override {
    const auto iterations = static_cast<double>(iterations_);
    return {{"create_ns", static_cast<double>(created_ns_) / iterations},
            {"unlink_ns", static_cast<double>(unlinked_ns_) / iterations}};
  }

 private:
  static constexpr std::uint64_t kMostWarmUpNs = 1'000'000'000;

  GuestClock clock_;
  std::uint64_t entries_ = 0;
  std::optional<EntryDirectory> directory_;
  std::uint64_t iterations_ = 1;
  std::uint64_t created_ns_ = 0;
  std::uint64_t unlinked_ns_ = 0;
  Tally tally_;
};

HVBENCH_KERNEL(CreateUnlink, .name = "disk/create_unlink",
               .summary = "Makes empty files in a directory, then removes them", .unit = "file",
               .parameter_sets = OnTargets({{kSmoke, {{"entries", "10"}, {"target", "ext4"}}},
                                            {kReal, {{"entries", "10000"}, {"target", "ext4"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "tmpfs"}}}}));

}  // namespace
}  // namespace hvbench::agent::kernels

// Attributes of files in a large directory, by name.
#include <optional>
#include <vector>

#include "benchmarks/kernels/support/disk/entry_directory.h"
#include "benchmarks/kernels/support/random.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class StatOfMany : public Kernel {
 public:
  void Prepare(const Context& context) override {
    const std::uint64_t entries = context.Number("entries");
    directory_.emplace(context);
    directory_->CreateMany('f', entries);
    for (std::uint64_t i = 0; i < entries; ++i) names_.emplace_back('f', i);
    Random random(context.seed());
    Shuffle(std::span(names_), random);
    inodes_.resize(entries);
    for (std::uint64_t i = 0; i < entries; ++i) {
      struct stat attributes {};
      RequireAvailable(fstatat(directory_->fd(), names_[i].get(), &attributes, 0), "fstatat");
      inodes_[i] = attributes.st_ino;
    }
  }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      struct stat attributes {};
      const std::size_t at = next_;
      next_ = next_ + 1 == names_.size() ? 0 : next_ + 1;
      return fstatat(directory_->fd(), names_[at].get(), &attributes, 0) == 0 &&
             attributes.st_ino == inodes_[at];
    });
  }

  void Verify() override { tally_.Verify("stat"); }

 private:
  std::optional<EntryDirectory> directory_;
  std::vector<EntryName> names_;  // in random order
  std::vector<ino_t> inodes_;     // of those names
  std::size_t next_ = 0;
  Tally tally_;
};

HVBENCH_KERNEL(StatOfMany, .name = "disk/stat",
               .summary = "stat of the files of one directory, in random order", .unit = "call",
               .parameter_sets = OnTargets({{kSmoke, {{"entries", "10"}, {"target", "root"}}},
                                            {kSmoke, {{"entries", "10"}, {"target", "volume"}}},
                                            {kReal, {{"entries", "10000"}, {"target", "volume"}}},
                                            {kReal, {{"entries", "10000"}, {"target", "root"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "tmpfs"}}}}));

}  // namespace
}  // namespace hvbench::agent::kernels

// Listing a large directory.
#include <optional>

#include "benchmarks/kernels/support/disk/entry_directory.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class Readdir : public Kernel {
 public:
  void Prepare(const Context& context) override {
    entries_ = context.Number("entries");
    directory_.emplace(context);
    directory_->LinkMany('f', entries_);
  }

  // Opens the directory each time, as a command that lists it does.
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      std::uint64_t count = 0;
      std::uint64_t sum = 0;
      directory_->ForEachName([&](const char* name) {
        ++count;
        sum += std::strtoull(name + 1, nullptr, 10);
      });
      return count == entries_ && sum == entries_ * (entries_ - 1) / 2;
    });
  }

  void Verify() override { tally_.Verify("readdir"); }

  Work WorkPerIteration() const override { return {.items = entries_}; }

 private:
  std::uint64_t entries_ = 0;
  std::optional<EntryDirectory> directory_;
  Tally tally_;
};

HVBENCH_KERNEL(Readdir, .name = "disk/readdir",
               .summary = "Opens a directory and reads all of its entries", .unit = "entry",
               .parameter_sets = OnTargets({{kSmoke, {{"entries", "10"}, {"target", "root"}}},
                                            {kSmoke, {{"entries", "10"}, {"target", "volume"}}},
                                            {kReal, {{"entries", "10000"}, {"target", "volume"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "root"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "tmpfs"}}}}));

}  // namespace
}  // namespace hvbench::agent::kernels

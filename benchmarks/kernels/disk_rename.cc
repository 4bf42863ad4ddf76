// New names for the entries of a large directory.
#include <optional>
#include <vector>

#include "benchmarks/kernels/support/disk/entry_directory.h"
#include "benchmarks/kernels/support/random.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class Rename : public Kernel {
 public:
  void Prepare(const Context& context) override {
    renamed_.resize(context.Number("entries"));
    directory_.emplace(context);
    directory_->LinkMany('f', renamed_.size());
    random_ = Random(context.seed());
  }

  // A file has two names in turn.
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      const std::uint64_t file = random_.Below(renamed_.size());
      const EntryName first('f', file);
      const EntryName second('g', file);
      const bool back = renamed_[file];
      renamed_[file] = !back;
      return renameat(directory_->fd(), (back ? second : first).get(), directory_->fd(),
                      (back ? first : second).get()) == 0;
    });
  }

  void Verify() override {
    tally_.Verify("rename");
    for (std::uint64_t file = 0; file < renamed_.size(); ++file) {
      const EntryName name(renamed_[file] ? 'g' : 'f', file);
      struct stat attributes {};
      if (fstatat(directory_->fd(), name.get(), &attributes, 0) != 0) {
        throw WrongResult(std::string("after a rename there is no ") + name.get());
      }
    }
  }

 private:
  std::optional<EntryDirectory> directory_;
  std::vector<bool> renamed_;  // by file: it has its second name
  Random random_{0};
  Tally tally_;
};

HVBENCH_KERNEL(Rename, .name = "disk/rename",
               .summary = "Gives random entries of one directory another name", .unit = "call",
               .parameter_sets = OnTargets({{kSmoke, {{"entries", "10"}, {"target", "root"}}},
                                            {kSmoke, {{"entries", "10"}, {"target", "volume"}}},
                                            {kReal, {{"entries", "10000"}, {"target", "volume"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "root"}}},
                                            {kFull, {{"entries", "10000"}, {"target", "tmpfs"}}}}));

}  // namespace
}  // namespace hvbench::agent::kernels

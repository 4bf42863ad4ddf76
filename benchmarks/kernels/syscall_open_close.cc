// Looking a path up and making a file description for it.
#include <optional>

#include "benchmarks/kernels/support/scratch_file.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class OpenClose : public Kernel {
 public:
  void Prepare(const Context& context) override { file_.emplace(context, "hvbench"); }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      const int fd = open(file_->path(), O_RDONLY | O_CLOEXEC);
      return fd >= 0 && close(fd) == 0;
    });
  }

  void Verify() override { tally_.Verify("open and close"); }

 private:
  std::optional<ScratchFile> file_;
  Tally tally_;
};

HVBENCH_KERNEL(OpenClose, .name = "syscall/open_close",
               .summary = "open and close of an existing file", .unit = "pair",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels

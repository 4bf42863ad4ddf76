// Looking a path up and asking for the file's attributes.
#include <sys/stat.h>

#include <optional>

#include "benchmarks/kernels/support/scratch_file.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class Stat : public Kernel {
 public:
  void Prepare(const Context& context) override { file_.emplace(context, kContent); }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      struct stat attributes {};
      return stat(file_->path(), &attributes) == 0 &&
             attributes.st_size == static_cast<off_t>(kContent.size());
    });
  }

  void Verify() override { tally_.Verify("sizes of the file"); }

 private:
  static constexpr std::string_view kContent = "a file of a known size";

  std::optional<ScratchFile> file_;
  Tally tally_;
};

HVBENCH_KERNEL(Stat, .name = "syscall/stat", .summary = "stat of an existing file", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels

// Reads at uniformly random offsets.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class RandomRead : public IoKernel {
 public:
  RandomRead() : IoKernel({.random = true, .read_percent = 100}) {}
};

HVBENCH_KERNEL(RandomRead, .name = "disk/randread", .summary = "Reads at uniformly random offsets",
               .unit = "operation",
               .parameter_sets = IoParameterSets(
                   {IoCellOn("volume", "psync", 4, 1), IoCellOn("volume", "libaio", 4, 32),
                    IoCellOn("volume", "io_uring", 4, 32),
                    IoCellOn("volume", "io_uring_fixed", 4, 32), IoCellOn("root", "psync", 4, 1),
                    IoCellOn("root", "libaio", 4, 32), IoCellOn("raw", "psync", 4, 1),
                    IoCellOn("raw", "libaio", 4, 32), BufferedIoCell(4), TmpfsIoCell(4)}));

}  // namespace
}  // namespace hvbench::agent::kernels

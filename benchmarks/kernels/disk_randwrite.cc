// Writes at uniformly random offsets.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class RandomWrite : public IoKernel {
 public:
  RandomWrite() : IoKernel({.random = true, .read_percent = 0}) {}
};

HVBENCH_KERNEL(RandomWrite, .name = "disk/randwrite",
               .summary = "Writes at uniformly random offsets", .unit = "operation",
               .parameter_sets = IoParameterSets(
                   {IoCellOn("volume", "psync", 4, 1), IoCellOn("volume", "libaio", 4, 32),
                    IoCellOn("volume", "io_uring", 4, 32), IoCellOn("root", "libaio", 4, 32),
                    IoCellOn("raw", "libaio", 4, 32), TmpfsIoCell(4)}));

}  // namespace
}  // namespace hvbench::agent::kernels

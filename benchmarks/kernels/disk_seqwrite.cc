// Writes from the first block to the last.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class SequentialWrite : public IoKernel {
 public:
  SequentialWrite() : IoKernel({.random = false, .read_percent = 0}) {}
};

HVBENCH_KERNEL(SequentialWrite, .name = "disk/seqwrite",
               .summary = "Writes from the first block to the last", .unit = "operation",
               .parameter_sets = IoParameterSets({IoCellOn("volume", "libaio", 128, 32),
                                                  IoCellOn("root", "libaio", 128, 32),
                                                  IoCellOn("raw", "libaio", 128, 32)}));

}  // namespace
}  // namespace hvbench::agent::kernels

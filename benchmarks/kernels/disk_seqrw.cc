// 70 % reads and 30 % writes from the first block to the last.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class SequentialMix : public IoKernel {
 public:
  SequentialMix() : IoKernel({.random = false, .read_percent = 70}) {}
};

HVBENCH_KERNEL(SequentialMix, .name = "disk/seqrw",
               .summary = "70 % reads and 30 % writes from the first block to the last",
               .unit = "operation",
               .parameter_sets = IoParameterSets({IoCellOn("volume", "libaio", 128, 32)}));

}  // namespace
}  // namespace hvbench::agent::kernels

// 70 % reads and 30 % writes at uniformly random offsets.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class RandomMix : public IoKernel {
 public:
  RandomMix() : IoKernel({.random = true, .read_percent = 70}) {}
};

HVBENCH_KERNEL(RandomMix, .name = "disk/randrw",
               .summary = "70 % reads and 30 % writes at uniformly random offsets",
               .unit = "operation",
               .parameter_sets = IoParameterSets({IoCellOn("volume", "libaio", 4, 32)}));

}  // namespace
}  // namespace hvbench::agent::kernels

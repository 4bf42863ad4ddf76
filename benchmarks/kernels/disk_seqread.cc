// Reads from the first block to the last.
#include "benchmarks/kernels/support/disk/io_kernel.h"

namespace hvbench::agent::kernels {
namespace {

class SequentialRead : public IoKernel {
 public:
  SequentialRead() : IoKernel({.random = false, .read_percent = 100}) {}
};

HVBENCH_KERNEL(SequentialRead, .name = "disk/seqread",
               .summary = "Reads from the first block to the last", .unit = "operation",
               .parameter_sets = IoParameterSets({IoCellOn("volume", "libaio", 128, 32),
                                                  IoCellOn("root", "libaio", 128, 32),
                                                  IoCellOn("raw", "libaio", 128, 32),
                                                  BufferedIoCell(128)}));

}  // namespace
}  // namespace hvbench::agent::kernels

// STREAM's Copy: c = a.
// Copy stays a loop like the other three: as a call of memcpy it would choose its method by the CPU
// features that a guest shows. A pragma, since clang-tidy refuses the option on its command line.
#if !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#include "benchmarks/kernels/support/stream_arrays.h"

namespace hvbench::agent::kernels {
namespace {

class StreamCopy final : public StreamKernel {
 private:
  void Pass(double* __restrict a, double*, double* __restrict c, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) c[i] = a[i];
  }
  std::span<double> target() const override { return c(); }
  double Expected() const override { return kA; }
  std::size_t ArraysCounted() const override { return 2; }
};

HVBENCH_KERNEL(StreamCopy, .name = "memory/stream_copy",
               .summary = "STREAM Copy: c = a, 16 bytes an element", .unit = "element",
               .parameter_sets = StreamParameterSets());

}  // namespace
}  // namespace hvbench::agent::kernels

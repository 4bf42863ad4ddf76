// STREAM's Add: c = a + b.
#include "benchmarks/kernels/support/stream_arrays.h"

namespace hvbench::agent::kernels {
namespace {

class StreamAdd final : public StreamKernel {
 private:
  void Pass(double* __restrict a, double* __restrict b, double* __restrict c,
            std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) c[i] = a[i] + b[i];
  }
  std::span<double> target() const override { return c(); }
  double Expected() const override { return kA + kB; }
  std::size_t ArraysCounted() const override { return 3; }
};

HVBENCH_KERNEL(StreamAdd, .name = "memory/stream_add",
               .summary = "STREAM Add: c = a + b, 24 bytes an element", .unit = "element",
               .parameter_sets = StreamParameterSets());

}  // namespace
}  // namespace hvbench::agent::kernels

// STREAM's Triad: a = b + q c.
#include "benchmarks/kernels/support/stream_arrays.h"

namespace hvbench::agent::kernels {
namespace {

class StreamTriad final : public StreamKernel {
 private:
  void Pass(double* __restrict a, double* __restrict b, double* __restrict c,
            std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) a[i] = b[i] + kStreamScalar * c[i];
  }
  std::span<double> target() const override { return a(); }
  double Expected() const override { return kB + kStreamScalar * kC; }
  std::size_t ArraysCounted() const override { return 3; }
};

HVBENCH_KERNEL(StreamTriad, .name = "memory/stream_triad",
               .summary = "STREAM Triad: a = b + q c, 24 bytes an element", .unit = "element",
               .parameter_sets = StreamParameterSets());

}  // namespace
}  // namespace hvbench::agent::kernels

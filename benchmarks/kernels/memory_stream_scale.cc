// STREAM's Scale: b = q c.
#include "benchmarks/kernels/support/stream_arrays.h"

namespace hvbench::agent::kernels {
namespace {

class StreamScale final : public StreamKernel {
 private:
  void Pass(double*, double* __restrict b, double* __restrict c, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) b[i] = kStreamScalar * c[i];
  }
  std::span<double> target() const override { return b(); }
  double Expected() const override { return kStreamScalar * kC; }
  std::size_t ArraysCounted() const override { return 2; }
};

HVBENCH_KERNEL(StreamScale, .name = "memory/stream_scale",
               .summary = "STREAM Scale: b = q c, 16 bytes an element", .unit = "element",
               .parameter_sets = StreamParameterSets());

}  // namespace
}  // namespace hvbench::agent::kernels

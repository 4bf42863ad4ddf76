// Floating-point work: the product of two square matrices of doubles.
#include <algorithm>
#include <limits>

#include "benchmarks/kernels/support/freivalds.h"

namespace hvbench::agent::kernels {
namespace {

// Multiples of 1/16 in [-1, 1): sums of up to 2^40 of their products are exact in a double,
// whatever the order of the additions, so that the check needs no tolerance.
SquareMatrix RandomMatrix(std::size_t order, Random& random) {
  SquareMatrix matrix(order);
  for (double& cell : matrix.cells) {
    cell = static_cast<double>(random.Below(32)) / 16.0 - 1.0;
  }
  return matrix;
}

class Matmul : public Kernel {
 public:
  void Prepare(const Context& context) override {
    const std::size_t order = context.Number("n");
    Random random(context.seed());
    left_ = RandomMatrix(order, random);
    right_ = RandomMatrix(order, random);
    product_ = SquareMatrix(order);
    check_seed_ = random.Next();
    Spoil();
  }

  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      MultiplyInto(left_.cells.data(), right_.cells.data(), product_.cells.data(), left_.order);
      KeepAlive(product_.cells.data());
    }
  }

  void Verify() override {
    CheckProduct(left_, right_, product_, check_seed_);
    Spoil();
  }

  // A multiplication and an addition for each of the n^3 terms.
  Work WorkPerIteration() const override {
    return {.items = 2 * left_.order * left_.order * left_.order};
  }

 private:
  // Row by row, so that the inner loop walks through contiguous memory.
  static void MultiplyInto(const double* __restrict left, const double* __restrict right,
                           double* __restrict product, std::size_t order) {
    std::fill(product, product + order * order, 0.0);
    for (std::size_t row = 0; row < order; ++row) {
      for (std::size_t inner = 0; inner < order; ++inner) {
        const double factor = left[row * order + inner];
        for (std::size_t column = 0; column < order; ++column) {
          product[row * order + column] += factor * right[inner * order + column];
        }
      }
    }
  }

  void Spoil() {
    std::fill(product_.cells.begin(), product_.cells.end(),
              std::numeric_limits<double>::quiet_NaN());
  }

  SquareMatrix left_;
  SquareMatrix right_;
  SquareMatrix product_;
  std::uint64_t check_seed_ = 0;
};

HVBENCH_KERNEL(Matmul, .name = "cpu/matmul",
               .summary = "Multiplies two n by n matrices of doubles, SSE2 only", .unit = "flop",
               .parameter_sets = {
                   {kSmoke, {{"n", "32"}}}, {kReal, {{"n", "256"}}}, {kFull, {{"n", "512"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

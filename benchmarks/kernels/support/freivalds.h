// Checks a product of matrices in quadratic time.
#pragma once

#include <boost/align/aligned_allocator.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "benchmarks/kernels/support/random.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {

// A square matrix of doubles, row by row. It begins with a page, since where the heap puts it
// differs from process to process, and what begins in the midst of a cache line takes 2 % longer.
struct SquareMatrix {
  std::size_t order = 0;
  std::vector<double, boost::alignment::aligned_allocator<double, 4096>> cells;

  explicit SquareMatrix(std::size_t n = 0) : order(n), cells(n * n) {}
};

inline std::vector<double> Multiply(const SquareMatrix& matrix, std::span<const double> vector) {
  std::vector<double> product(matrix.order);
  for (std::size_t row = 0; row < matrix.order; ++row) {
    for (std::size_t column = 0; column < matrix.order; ++column) {
      product[row] += matrix.cells[row * matrix.order + column] * vector[column];
    }
  }
  return product;
}

// R. Freivalds, "Probabilistic Machines Can Use Less Running Time", IFIP 1977: compares left *
// (right
// * v) with product * v for random v of 0 and 1; a wrong product passes each round with probability
// at most 1/2. Exact: requires entries whose sums of products a double holds without rounding.
inline void CheckProduct(const SquareMatrix& left, const SquareMatrix& right,
                         const SquareMatrix& product, std::uint64_t seed) {
  constexpr int kRounds = 20;  // a wrong product passes one time in a million
  Random random(seed);
  std::vector<double> vector(left.order);
  for (int round = 0; round < kRounds; ++round) {
    for (double& element : vector) element = static_cast<double>(random.Below(2));
    if (Multiply(left, Multiply(right, vector)) != Multiply(product, vector)) {
      throw WrongResult("the product of the matrices is wrong");
    }
  }
}

}  // namespace hvbench::agent::kernels

// The arrays of the four STREAM kernels and STREAM's way to check them. The rules are those of
// J. McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance Computers", and of
// https://www.cs.virginia.edu/stream/ref.html: doubles, each array at least four times as large as
// all last-level caches together, and only the bytes that the program asks for are counted (no
// write-allocate traffic).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/memory_size.h"

namespace hvbench::agent::kernels {

inline constexpr double kStreamScalar = 3.0;

// Fails if the mean relative error is above STREAM's bound for doubles, or is not a number.
inline void CheckStreamArray(std::span<const double> array, double expected) {
  constexpr double kEpsilon = 1e-13;
  double error_sum = 0;
  for (const double value : array) error_sum += std::abs(value - expected);
  const double error = error_sum / static_cast<double>(array.size()) / std::abs(expected);
  if (error <= kEpsilon) return;
  throw WrongResult("the mean relative error is " + std::to_string(error) + ", above 1e-13");
}

// A STREAM kernel writes one of the arrays `a`, `b`, `c` from the others.
class StreamKernel : public Kernel {
 public:
  void Prepare(const Context& context) final {
    bytes_ = MemorySize(context, "array", kTimesCache, kLeastBytes, /*sets=*/3);
    arrays_ = Mapping(3 * (bytes_ + kGapBytes), PagesOf(context));
    arrays_.Populate();
    Fill(a(), kA);
    Fill(b(), kB);
    Fill(c(), kC);
    arrays_.RequireItsPages();
    Spoil();
  }

  void Run(std::uint64_t iterations) final {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      Pass(a().data(), b().data(), c().data(), a().size());
      KeepAlive(i);
    }
  }

  void Verify() final {
    CheckStreamArray(target(), Expected());
    Spoil();
  }

  Work WorkPerIteration() const final {
    return {.items = a().size(), .bytes = a().size() * sizeof(double) * ArraysCounted()};
  }

  std::vector<protocol::Counter> Counters() const final {
    return {{"array_bytes", static_cast<double>(bytes_)}};
  }

 protected:
  // No kernel reads what it writes, so that any number of passes has the same result.
  static constexpr double kA = 1.0;
  static constexpr double kB = 2.0;
  static constexpr double kC = 0.5;

  std::span<double> a() const { return Array(0); }
  std::span<double> b() const { return Array(1); }
  std::span<double> c() const { return Array(2); }

 private:
  static constexpr std::size_t kTimesCache = 4;  // STREAM's rule
  static constexpr std::size_t kLeastBytes = 128 * kMiB;

  // Between the arrays, as STREAM's OFFSET: at a distance of 2^28 bytes exactly, copy is a quarter
  // slower (AMD EPYC 9004). All arrays are in one mapping, so that the distances are the same in
  // all guests.
  static constexpr std::size_t kGapBytes = kHugePageBytes;

  virtual void Pass(double* a, double* b, double* c, std::size_t size) = 0;
  virtual std::span<double> target() const = 0;   // the array that Pass writes
  virtual double Expected() const = 0;            // each of its elements afterwards
  virtual std::size_t ArraysCounted() const = 0;  // read or written, by STREAM's rule

  std::span<double> Array(std::size_t index) const {
    const std::size_t begin = index * (bytes_ + kGapBytes) / sizeof(double);
    return arrays_.As<double>().subspan(begin, bytes_ / sizeof(double));
  }
  static void Fill(std::span<double> array, double value) {
    for (double& element : array) element = value;
  }
  // Makes sure that what Verify sees is of the last Run.
  void Spoil() const { Fill(target(), std::numeric_limits<double>::quiet_NaN()); }

  Mapping arrays_;
  std::size_t bytes_ = 0;  // of one array
};

// Every STREAM kernel has the same sets. On a machine with a last-level cache of up to 32 MiB,
// three arrays are 384 MiB, which fit a guest of 512 MiB.
inline std::vector<protocol::ParameterSet> StreamParameterSets() {
  return {{kSmoke, {{"array_mib", "1"}, {"pages", "4k"}}},
          {kReal, {{"array", "memory"}, {"pages", "4k"}}},
          {kFull, {{"array", "memory"}, {"pages", "thp"}}}};
}

}  // namespace hvbench::agent::kernels

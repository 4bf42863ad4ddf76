// The checks of the kernels' results can fail.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "benchmarks/kernels/support/bytecode.h"
#include "benchmarks/kernels/support/chase_ring.h"
#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/freivalds.h"
#include "benchmarks/kernels/support/stream_arrays.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

TEST(StreamCheck, FindsOneWrongElement) {
  std::vector<double> array(100'000, 5.0);
  EXPECT_NO_THROW(CheckStreamArray(array, 5.0));
  array[70'000] = 5.1;
  EXPECT_THROW(CheckStreamArray(array, 5.0), WrongResult);
}

TEST(StreamCheck, FindsOneElementThatWasNotWritten) {
  std::vector<double> array(100'000, 5.0);
  array.back() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(CheckStreamArray(array, 5.0), WrongResult);
}

TEST(StreamCheck, AllowsRounding) {
  const std::vector<double> array(1'000, std::nextafter(5.0, 6.0));
  EXPECT_NO_THROW(CheckStreamArray(array, 5.0));
}

// A kernel that leaves out the last element of its target.
class ForgetfulStream : public StreamKernel {
 public:
  explicit ForgetfulStream(std::size_t forgotten) : forgotten_(forgotten) {}

 private:
  void Pass(double* a, double*, double* c, std::size_t size) override {
    for (std::size_t i = 0; i + forgotten_ < size; ++i) c[i] = a[i];
  }
  std::span<double> target() const override { return c(); }
  double Expected() const override { return kA; }
  std::size_t ArraysCounted() const override { return 2; }

  const std::size_t forgotten_;
};

TEST(StreamKernel, FindsWorkThatWasLeftOut) {
  const Context context({{"array_mib", "1"}, {"pages", "4k"}}, "", 1);
  for (const std::size_t forgotten : {0u, 1u}) {
    ForgetfulStream kernel(forgotten);
    kernel.Prepare(context);
    kernel.Run(1);
    if (forgotten == 0) {
      EXPECT_NO_THROW(kernel.Verify());
    } else {
      EXPECT_THROW(kernel.Verify(), WrongResult);
    }
  }
}

TEST(StreamKernel, CountsAsStreamDoes) {
  ForgetfulStream kernel(0);
  kernel.Prepare(Context({{"array_mib", "1"}, {"pages", "4k"}}, "", 1));
  EXPECT_EQ(kernel.WorkPerIteration().items, kMiB / 8);
  EXPECT_EQ(kernel.WorkPerIteration().bytes, 2 * kMiB);  // 16 bytes an element
}

TEST(ProductCheck, FindsOneWrongCell) {
  SquareMatrix left(3);
  left.cells = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  SquareMatrix right(3);
  right.cells = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  SquareMatrix product(3);
  product.cells = {30, 24, 18, 84, 69, 54, 138, 114, 90};
  EXPECT_NO_THROW(CheckProduct(left, right, product, 1));
  for (double& cell : product.cells) {
    const double right_value = cell;
    cell += 1.0 / 256;
    EXPECT_THROW(CheckProduct(left, right, product, 1), WrongResult);
    cell = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(CheckProduct(left, right, product, 1), WrongResult);
    cell = right_value;
  }
}

TEST(ChaseRing, VisitsEveryLineOnce) {
  const ChaseRing ring(64 * kKiB, Pages::kSmall, 7);
  std::vector<bool> seen(ring.size());
  const ChaseLine* line = ring.start();
  for (std::size_t i = 0; i < ring.size(); ++i, line = line->next) {
    const auto index = static_cast<std::size_t>(line - ring.lines().data());
    EXPECT_FALSE(seen[index]);
    seen[index] = true;
    EXPECT_NO_THROW(ring.CheckEnd(line, i));
  }
  EXPECT_EQ(line, ring.start());
  EXPECT_NO_THROW(ring.CheckEnd(line, ring.size()));
}

TEST(ChaseRing, FindsOneLoadTooFewOrTooMany) {
  const ChaseRing ring(64 * kKiB, Pages::kSmall, 7);
  EXPECT_THROW(ring.CheckEnd(ring.start()->next, 2), WrongResult);
  EXPECT_THROW(ring.CheckEnd(ring.start(), ring.size() - 1), WrongResult);
  EXPECT_THROW(ring.CheckEnd(nullptr, 0), WrongResult);
}

// Otherwise its branches could be predicted, and the kernel would not be what it says.
TEST(Bytecode, ChoosesEachOperationAboutAsOften) {
  std::vector<std::uint8_t> program = RandomProgram(10'000, 3);
  std::array<int, kOperations> chosen{};
  Machine machine = StartOf(3, 0);
  for (const std::uint8_t code : program) {
    ++chosen[(code + machine.accumulator) % kOperations];
    machine = InterpretByTable({code}, machine);
  }
  for (const int times : chosen) EXPECT_NEAR(times, 1'250, 200);
}

TEST(Bytecode, AnyOtherOperationEndsElsewhere) {
  std::vector<std::uint8_t> program = RandomProgram(1'000, 3);
  const Machine end = InterpretByTable(program, StartOf(3, 0));
  program[500] = static_cast<std::uint8_t>((program[500] + 1) % kOperations);
  EXPECT_NE(InterpretByTable(program, StartOf(3, 0)).accumulator, end.accumulator);
}

TEST(Tally, FindsOneWrongResultOfMany) {
  Tally tally;
  std::uint64_t step = 0;
  tally.Run(1'000, [&] { return ++step != 500; });
  EXPECT_THROW(tally.Verify("steps"), WrongResult);
  tally.Run(1'000, [] { return true; });
  EXPECT_NO_THROW(tally.Verify("steps"));
  EXPECT_THROW(tally.Verify("steps"), WrongResult) << "nothing was run since";
}

TEST(Check, TellsARefusalFromABreakage) {
  EXPECT_THROW(ThrowUnavailable("call", ENOSYS), Unsupported);
  EXPECT_THROW(ThrowUnavailable("call", EPERM), Unsupported);
  EXPECT_THROW(ThrowUnavailable("call", EFAULT), KernelFailed);
  errno = EPERM;
  EXPECT_THROW(RequireAvailable(-1, "call"), Unsupported);
  EXPECT_EQ(RequireAvailable(3, "call"), 3);
}

TEST(Mapping, KnowsItsPages) {
  const Mapping small(4 * kMiB, Pages::kSmall);
  small.Populate();
  EXPECT_EQ(HugeKiBWithin(small.data(), small.bytes()), 0u);
  EXPECT_TRUE(small.HasItsPages());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small.data()) % kHugePageBytes, 0u);
}

TEST(Mapping, MissesHugePagesThatWereNeverTouched) {
  try {
    const Mapping huge(4 * kMiB, Pages::kHuge);
    EXPECT_FALSE(huge.HasItsPages());
    EXPECT_THROW(huge.RequireItsPages(), Unsupported);
  } catch (const Unsupported& unsupported) {
    GTEST_SKIP() << unsupported.what();
  }
}

TEST(Crew, EveryMemberServesEveryBatchOnce) {
  std::vector<std::uint64_t> served(3);
  Crew crew(served.size(),
            [&](std::size_t member, std::uint64_t iterations) { served[member] += iterations; });
  for (int batch = 0; batch < 100; ++batch) {
    crew.Release(2);
    crew.Await();
  }
  EXPECT_EQ(served, std::vector<std::uint64_t>(3, 200));
}

TEST(MemorySize, IsBeyondTheHostsCache) {
  const auto size = [](int llc_mib, int guest_mib) {
    const Context context({{"array", "memory"},
                           {"llc_kib", std::to_string(llc_mib * 1024)},
                           {"guest_mib", std::to_string(guest_mib)}},
                          "", 1);
    return MemorySize(context, "array", /*times=*/4, /*least=*/128 * kMiB, /*sets=*/3);
  };
  EXPECT_EQ(size(8, 512), 128 * kMiB);
  EXPECT_EQ(size(0, 512), 128 * kMiB) << "a cache that nobody tells of";
  EXPECT_EQ(size(33, 4096), 132 * kMiB);
  EXPECT_EQ(size(105, 1575), 420 * kMiB);
  try {
    size(105, 1574);
    ADD_FAILURE() << "three arrays of 420 MiB leave less than a fifth";
  } catch (const Unsupported& e) {
    EXPECT_NE(std::string(e.what()).find("--hvbench_memory_mib=1575"), std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace hvbench::agent::kernels

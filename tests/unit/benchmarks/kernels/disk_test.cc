// What the disk kernels write, where they read, and that they notice what went wrong.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "benchmarks/kernels/support/disk/access_pattern.h"
#include "benchmarks/kernels/support/disk/block_buffers.h"
#include "benchmarks/kernels/support/disk/io_kernel.h"
#include "benchmarks/kernels/support/disk/job.h"
#include "benchmarks/kernels/support/disk/sectors.h"
#include "benchmarks/kernels/support/disk/target.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 7;

TEST(Sectors, AreNotCompressible) {
  const Sectors sectors(kSeed, kSectorBytes);
  // As a compressing file system sees them: btrfs's extents are the longest.
  std::vector<std::byte> extent(128 * kKiB);
  sectors.Fill(extent, 3 * extent.size(), 1);
  std::vector<char> packed(ZSTD_compressBound(extent.size()));
  const std::size_t bytes =
      ZSTD_compress(packed.data(), packed.size(), extent.data(), extent.size(), 3);
  ASSERT_EQ(ZSTD_isError(bytes), 0u);
  EXPECT_GT(bytes, extent.size() / 100 * 99);
}

TEST(Sectors, KnowTheirPlace) {
  const Sectors sectors(kSeed, 64 * kKiB);
  std::vector<std::byte> block(64 * kKiB);
  const std::uint64_t offset = 5 * block.size();
  sectors.Fill(block, offset, 1);
  EXPECT_TRUE(sectors.AreInPlace(block, offset));
  EXPECT_FALSE(sectors.AreInPlace(block, offset + block.size())) << "another block's";
  EXPECT_FALSE(Sectors(kSeed + 1, 64 * kKiB).AreInPlace(block, offset)) << "another run's";
  std::copy_n(block.begin(), kSectorBytes, block.end() - kSectorBytes);
  EXPECT_FALSE(sectors.AreInPlace(block, offset)) << "one sector of another place";
}

TEST(Sectors, FindOneWrongByte) {
  const Sectors sectors(kSeed, kSectorBytes);
  std::vector<std::byte> sector(kSectorBytes);
  for (const std::size_t at : {0u, 100u, 4095u}) {
    sectors.Fill(sector, 8192, 1);
    ASSERT_TRUE(sectors.IsIntact(sector.data(), 8192));
    sector[at] ^= std::byte{1};
    EXPECT_FALSE(sectors.IsIntact(sector.data(), 8192)) << at;
  }
}

TEST(Sectors, OfAllBlocksAreStampedOverTheSameBytes) {
  // A write stamps what Fill left in the buffer: that is right for any block of the same place.
  const Sectors sectors(kSeed, kSectorBytes);
  std::vector<std::byte> period(sectors.PeriodBytes());
  sectors.Fill(period, 0, 0);
  const std::uint64_t offset = 9 * period.size() + 3 * kSectorBytes;
  std::byte* const sector = period.data() + offset % period.size();
  sectors.Stamp({sector, kSectorBytes}, offset, 4);
  EXPECT_TRUE(sectors.IsIntact(sector, offset));
  EXPECT_EQ(Sectors::HeaderOf(sector).generation, 4u);
}

TEST(BlockBuffers, HoldTheBytesOfEachBlockAndNeverShare) {
  constexpr unsigned kDepth = 32;  // more than a kind of small blocks has buffers: spare ones too
  for (const std::size_t block_bytes : {4 * kKiB, 64 * kKiB, 1024 * kKiB}) {
    const Sectors sectors(kSeed, block_bytes);
    BlockBuffers buffers(sectors, block_bytes, kDepth, /*writes=*/true);
    // All with the same random bytes, and with others.
    for (const std::uint64_t step : {sectors.PeriodBytes(), block_bytes}) {
      std::set<std::byte*> taken;
      for (unsigned i = 0; i < kDepth; ++i) {
        const std::uint64_t offset = 3 * block_bytes + i * step;
        std::byte* const block = buffers.Take(offset);
        sectors.Stamp({block, block_bytes}, offset, 2);
        for (std::size_t at = 0; at < block_bytes; at += kSectorBytes) {
          ASSERT_TRUE(sectors.IsIntact(block + at, offset + at)) << block_bytes << " at " << at;
        }
        const auto next = taken.lower_bound(block);
        EXPECT_TRUE(next == taken.end() || block + block_bytes <= *next);
        EXPECT_TRUE(next == taken.begin() || *std::prev(next) + block_bytes <= block);
        taken.insert(block);
      }
      for (std::byte* const block : taken) buffers.GiveBack(block);
    }
  }
}

TEST(BlockBuffers, GiveOutFirstWhatCameBackLast) {
  const Sectors sectors(kSeed, 4 * kKiB);
  BlockBuffers buffers(sectors, 4 * kKiB, 4, /*writes=*/true);
  buffers.Take(0);
  std::byte* const second = buffers.Take(0);
  buffers.Take(0);
  buffers.GiveBack(second);
  buffers.GiveBack(buffers.Take(4 * kKiB));  // of another kind
  EXPECT_EQ(buffers.Take(sectors.PeriodBytes()), second);
}

TEST(Job, DoesNothingMoreAfterAFailure) {
  // What it had under way may still be.
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Sectors sectors(kSeed, 4 * kKiB);
  JobOptions options;
  options.engine = "psync";
  options.fd = file.get();
  options.mode = {.random = false, .read_percent = 0};
  options.range = {0, 10};
  options.block_bytes = 4 * kKiB;
  Job job(options, sectors);
  job.Run(5, 1);
  EXPECT_THROW(std::rethrow_exception(job.Failure()), KernelFailed);
  job.Run(6, 2);
  EXPECT_EQ(job.operations(), 5u);
  EXPECT_THROW(std::rethrow_exception(job.Failure()), KernelFailed);
}

TEST(AccessPattern, IsUniform) {
  constexpr std::uint64_t kBlocks = 97;
  constexpr std::uint64_t kEach = 1'000;
  AccessPattern accesses({.random = true, .read_percent = 100}, {10, kBlocks}, kSeed);
  std::vector<double> counts(kBlocks);
  for (std::uint64_t i = 0; i < kBlocks * kEach; ++i) {
    const Access access = accesses.Next();
    ASSERT_GE(access.block, 10u);
    ASSERT_LT(access.block, 10 + kBlocks);
    ++counts[access.block - 10];
  }
  double chi_squared = 0;
  for (const double count : counts) chi_squared += std::pow(count - kEach, 2) / kEach;
  // 96 degrees of freedom: beyond this with a probability of 1e-4.
  EXPECT_LT(chi_squared, 157.0);
}

TEST(AccessPattern, IsSequentialAndBeginsAnew) {
  AccessPattern accesses({.random = false, .read_percent = 0}, {4, 3}, kSeed);
  for (const std::uint64_t block : {4u, 5u, 6u, 4u, 5u}) {
    const Access access = accesses.Next();
    EXPECT_EQ(access.block, block);
    EXPECT_TRUE(access.is_write);
  }
}

TEST(AccessPattern, MixesAndRepeats) {
  const AccessMode mode{.random = true, .read_percent = 70};
  AccessPattern first(mode, {0, 1000}, kSeed);
  AccessPattern again(mode, {0, 1000}, kSeed);
  int reads = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Access access = first.Next();
    reads += access.is_write ? 0 : 1;
    const Access same = again.Next();
    ASSERT_EQ(access.block, same.block);
    ASSERT_EQ(access.is_write, same.is_write);
  }
  EXPECT_NEAR(reads, 7'000, 230);  // 5 standard deviations
}

TEST(BlockRange, IsSharedOutWithoutGapOrOverlap) {
  const BlockRange all{5, 101};
  std::uint64_t next = all.first;
  for (std::uint64_t job = 0; job < 7; ++job) {
    const BlockRange part = all.PartOf(job, 7);
    EXPECT_EQ(part.first, next);
    EXPECT_GE(part.count, 14u);
    next += part.count;
  }
  EXPECT_EQ(next, 106u);
}

class DiskKernelTest : public testing::Test {
 protected:
  DiskKernelTest() {
    std::string pattern = testing::TempDir() + "hvbench-disk-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw KernelFailed("mkdtemp", errno);
    dir_ = pattern;
  }
  ~DiskKernelTest() override { fs::remove_all(dir_); }

  Context ContextFor(const std::string& engine, unsigned depth, unsigned jobs = 1) const {
    return Context({{"engine", engine},
                    {"block_kib", "8"},
                    {"depth", std::to_string(depth)},
                    {"jobs", std::to_string(jobs)},
                    {"direct", "0"},
                    {"target", "volume"},
                    {"file_mib", "1"}},
                   dir_, kSeed, {.volume_dir = dir_, .block_device = {}, .peer = {}});
  }

  // Changes one byte of the only file there is.
  void Corrupt(std::uint64_t offset) const {
    std::fstream file(fs::directory_iterator(dir_)->path(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const auto changed = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(changed).flush();
    ASSERT_TRUE(file);
  }

  fs::path dir_;
};

constexpr AccessMode kReadAll{.random = false, .read_percent = 100};
constexpr AccessMode kWriteAll{.random = false, .read_percent = 0};
constexpr std::uint64_t kBlocks = 128;

TEST_F(DiskKernelTest, ReadingFindsACorruptedBlock) {
  IoKernel kernel(kReadAll);
  kernel.Prepare(ContextFor("psync", 1));
  kernel.Run(kBlocks);
  EXPECT_NO_THROW(kernel.Verify());
  Corrupt(77 * 8 * kKiB + kSectorBytes);  // the header of a block's second sector
  kernel.Run(kBlocks);
  EXPECT_THROW(kernel.Verify(), WrongResult);
}

TEST_F(DiskKernelTest, CheckingWritesFindsOneWrongByte) {
  IoKernel kernel(kWriteAll);
  kernel.Prepare(ContextFor("psync", 1, 2));
  kernel.Run(kBlocks);
  EXPECT_NO_THROW(kernel.Verify());
  kernel.Run(kBlocks);
  Corrupt(1'000'000);
  EXPECT_THROW(kernel.Verify(), WrongResult);
}

TEST_F(DiskKernelTest, CheckingWritesFindsALostOne) {
  const Sectors sectors(kSeed, 8 * kKiB);
  const TargetFile file(ContextFor("psync", 1), kMiB, /*direct=*/false);
  file.LayOut(sectors);
  std::vector<bool> written(kBlocks);
  EXPECT_NO_THROW(CheckWritten(file, sectors, written, 1));
  written[90] = true;
  EXPECT_THROW(CheckWritten(file, sectors, written, 1), WrongResult);
}

TEST_F(DiskKernelTest, CheckingWritesFindsOneInTheWrongPlace) {
  const Sectors sectors(kSeed, 8 * kKiB);
  const TargetFile file(ContextFor("psync", 1), kMiB, /*direct=*/false);
  file.LayOut(sectors);
  std::vector<std::byte> block(8 * kKiB);
  sectors.Fill(block, 0, 1);
  ASSERT_EQ(pwrite(file.fd(), block.data(), block.size(), 0), 8 * 1024);
  EXPECT_THROW(CheckWritten(file, sectors, std::vector<bool>(kBlocks), 1), WrongResult);
}

TEST_F(DiskKernelTest, SkipsWhatTheGuestDoesNotHave) {
  const auto with = [this](const std::string& target) {
    return Context({{"target", target}}, dir_, kSeed);
  };
  EXPECT_THROW(TargetDirectory(with("volume")), Unsupported);
  EXPECT_THROW(TargetFile(with("raw"), kMiB, true), Unsupported);
  EXPECT_THROW(TargetDirectory(with("moon")), std::invalid_argument);
}

TEST_F(DiskKernelTest, RefusesSizesThatDoNotFit) {
  const auto prepare = [this](const char* block_kib, const char* depth, const char* jobs) {
    IoKernel(kReadAll).Prepare(Context({{"engine", "psync"},
                                        {"block_kib", block_kib},
                                        {"depth", depth},
                                        {"jobs", jobs},
                                        {"direct", "0"},
                                        {"target", "volume"},
                                        {"file_mib", "1"}},
                                       dir_, kSeed,
                                       {.volume_dir = dir_, .block_device = {}, .peer = {}}));
  };
  EXPECT_NO_THROW(prepare("4", "1", "1"));
  EXPECT_THROW(prepare("2", "1", "1"), std::invalid_argument);
  EXPECT_THROW(prepare("12", "1", "1"), std::invalid_argument);
  EXPECT_THROW(prepare("4", "2", "1"), std::invalid_argument) << "psync has no depth";
  EXPECT_THROW(prepare("1024", "1", "2"), std::invalid_argument) << "fewer blocks than jobs";
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), {}), 0) << "left a file";
}

}  // namespace
}  // namespace hvbench::agent::kernels

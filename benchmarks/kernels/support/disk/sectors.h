// What the disk kernels' files hold, so that every block read can be told right or wrong. A file is
// a row of sectors of 4 KiB: a header that no other sector of any other batch has, and random bytes
// that depend on the sector's number alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

inline constexpr std::size_t kSectorBytes = 4 * kKiB;

struct SectorHeader {
  std::uint64_t stamp = 0;       // of the seed and the sector's number
  std::uint64_t generation = 0;  // the batch that wrote it; 0: written before the first one

  bool operator==(const SectorHeader&) const = default;
};

class Sectors {
 public:
  // The random bytes repeat after 128 KiB, or after a block if that is longer: no compressing file
  // system looks farther (btrfs and ZFS compress extents of at most 128 KiB by themselves), and
  // the headers leave nothing to deduplicate.
  Sectors(std::uint64_t seed, std::size_t block_bytes)
      : seed_(seed), content_(std::max(block_bytes, kMinPeriodBytes) / sizeof(std::uint64_t)) {
    Random random(seed);
    for (std::uint64_t& word : content_) word = random.Next();
  }

  std::size_t PeriodBytes() const { return content_.size() * sizeof(std::uint64_t); }

  // Writes the sectors of a file from byte `offset` on into `data`, random bytes and headers.
  void Fill(std::span<std::byte> data, std::uint64_t offset, std::uint64_t generation) const {
    for (std::size_t at = 0; at < data.size(); at += kSectorBytes) {
      std::memcpy(data.data() + at, ContentAt(offset + at), kSectorBytes);
    }
    Stamp(data, offset, generation);
  }

  // The headers alone, over sectors that hold the right random bytes: one cache line a sector.
  void Stamp(std::span<std::byte> data, std::uint64_t offset, std::uint64_t generation) const {
    for (std::size_t at = 0; at < data.size(); at += kSectorBytes) {
      const SectorHeader header{StampOf(offset + at), generation};
      std::memcpy(data.data() + at, &header, sizeof(header));
    }
  }

  // Whether each sector says that it is the one that belongs there: one cache line a sector, cheap
  // enough for the timed region.
  bool AreInPlace(std::span<const std::byte> data, std::uint64_t offset) const {
    bool right = true;
    for (std::size_t at = 0; at < data.size(); at += kSectorBytes) {
      right &= HeaderOf(data.data() + at).stamp == StampOf(offset + at);
    }
    return right;
  }

  // Whether one sector is right to its last byte, whichever batch wrote it.
  bool IsIntact(const std::byte* sector, std::uint64_t offset) const {
    constexpr std::size_t kHeader = sizeof(SectorHeader);
    return HeaderOf(sector).stamp == StampOf(offset) &&
           std::memcmp(sector + kHeader, ContentAt(offset) + kHeader, kSectorBytes - kHeader) == 0;
  }

  static SectorHeader HeaderOf(const std::byte* sector) {
    SectorHeader header;
    std::memcpy(&header, sector, sizeof(header));
    return header;
  }

 private:
  static constexpr std::size_t kMinPeriodBytes = 128 * kKiB;

  std::uint64_t StampOf(std::uint64_t offset) const {
    return Mix(seed_ + offset / kSectorBytes * 0x9e3779b97f4a7c15u);
  }
  const std::byte* ContentAt(std::uint64_t offset) const {
    return reinterpret_cast<const std::byte*>(content_.data()) + offset % PeriodBytes();
  }

  std::uint64_t seed_;
  std::vector<std::uint64_t> content_;
};

}  // namespace hvbench::agent::kernels

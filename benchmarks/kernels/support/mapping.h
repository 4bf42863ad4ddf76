// Anonymous memory with a known kind of page: never left to the guest's transparent_hugepage
// setting, which differs between distributions.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "benchmarks/kernels/support/check.h"

namespace hvbench::agent::kernels {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kSmallPageBytes = 4 * kKiB;
// The size of a huge page on x86-64, and on arm64 with base pages of 4 KiB.
inline constexpr std::size_t kHugePageBytes = 2 * kMiB;

enum class Pages { kSmall, kHuge };

// The parameter `pages`: "4k" or "thp".
inline Pages PagesOf(const Context& context) {
  const std::string& text = context.Text("pages");
  if (text == "4k") return Pages::kSmall;
  if (text == "thp") return Pages::kHuge;
  throw std::invalid_argument("pages is neither 4k nor thp: " + text);
}

// The KiB of [begin, begin + bytes) that transparent huge pages back, from /proc/self/smaps. Counts
// whole mappings that begin in the range, so the range must be a mapping of its own.
inline std::size_t HugeKiBWithin(const void* begin, std::size_t bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> smaps(std::fopen("/proc/self/smaps", "re"),
                                                              &std::fclose);
  if (smaps == nullptr) ThrowUnavailable("cannot open /proc/self/smaps", errno);
  const auto low = reinterpret_cast<std::uintptr_t>(begin);
  bool inside = false;
  std::size_t total_kib = 0;
  char line[512];
  while (std::fgets(line, sizeof(line), smaps.get()) != nullptr) {
    constexpr std::string_view kField = "AnonHugePages:";
    char* end = nullptr;
    const std::uintptr_t first = std::strtoul(line, &end, 16);
    if (*end == '-') {  // "7f0000000000-7f0000200000 rw-p ..." begins a mapping
      inside = first >= low && first < low + bytes;
    } else if (inside && std::string_view(line).starts_with(kField)) {
      total_kib += std::strtoul(line + kField.size(), nullptr, 10);
    }
  }
  return total_kib;
}

class Mapping {
 public:
  Mapping() = default;
  // Aligned to kHugePageBytes whatever the pages, so that their kind is the only difference.
  Mapping(std::size_t bytes, Pages pages) : bytes_(bytes), pages_(pages) {
    if (pages == Pages::kSmall &&
        static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) != kSmallPageBytes) {
      throw Unsupported("the guest's pages are not 4 KiB");
    }
    const std::size_t reserved = bytes + kHugePageBytes;
    void* const start =
        mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) ThrowUnavailable("mmap", errno);
    reserved_ = {static_cast<std::byte*>(start), reserved};
    const std::size_t past = reinterpret_cast<std::uintptr_t>(start) % kHugePageBytes;
    data_ = reserved_.data() + (past == 0 ? 0 : kHugePageBytes - past);
    // The advice splits the reservation: [data_, data_ + bytes) becomes a mapping of its own.
    const int advice = pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
    if (madvise(data_, bytes, advice) != 0 && pages == Pages::kHuge) {
      const int error = errno;
      Release();
      throw Unsupported("the guest has no transparent huge pages", error);
    }
  }
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(reserved_, other.reserved_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(pages_, other.pages_);
    return *this;
  }
  ~Mapping() { Release(); }

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  template <typename T>
  std::span<T> As() const {
    return {reinterpret_cast<T*>(data_), bytes_ / sizeof(T)};
  }

  // Writes to each page, so that none is missing while the clock runs.
  void Populate() const {
    for (std::size_t at = 0; at < bytes_; at += kSmallPageBytes) data_[at] = std::byte{0};
  }

  // Whether huge pages back what they should. The kernel may lack a free one now and then: at most
  // a twentieth may be missing.
  bool HasItsPages() const {
    if (pages_ == Pages::kSmall) return true;
    return HugeKiBWithin(data_, bytes_) * kKiB >= bytes_ / 20 * 19;
  }

  // For Prepare, after the memory was written to.
  void RequireItsPages() const {
    if (!HasItsPages()) {
      throw Unsupported("the guest did not back the memory with transparent huge pages");
    }
  }

 private:
  void Release() {
    if (!reserved_.empty()) munmap(reserved_.data(), reserved_.size());
    reserved_ = {};
  }

  std::span<std::byte> reserved_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  Pages pages_ = Pages::kSmall;
};

// For what is read from a disk or written to it: at least so many bytes, in huge pages where the
// guest has them. How scattered the pages of a buffer are in its memory, which is chance with small
// ones, decides how many descriptors a virtio disk needs for a request, and with that how many
// requests are under way and whether the rest is merged meanwhile. Up to twice the rate of large
// blocks: docs/peers.md.
inline Mapping MapForDisk(std::size_t bytes) {
  const std::size_t rounded = (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  try {
    return {rounded, Pages::kHuge};
  } catch (const Unsupported&) {
    return {rounded, Pages::kSmall};
  }
}

}  // namespace hvbench::agent::kernels

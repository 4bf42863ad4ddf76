#include "runtime_launchers/support/cpu_set.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>

namespace hvbench {
namespace {

constexpr std::size_t kWordBits = sizeof(unsigned long) * CHAR_BIT;
// Far above Linux' most (NR_CPUS, 8192 on x86-64).
constexpr int kMostCpus = 1 << 20;

bool ParseNumber(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 &&
         number < kMostCpus;
}

}  // namespace

CpuSet::CpuSet(const std::vector<int>& cpus) {
  for (const int cpu : cpus) {
    const auto bit = static_cast<std::size_t>(cpu);
    bits_.resize(std::max(bits_.size(), bit / kWordBits + 1));
    bits_[bit / kWordBits] |= 1UL << bit % kWordBits;
  }
}

bool CpuSet::Apply(pid_t thread) const noexcept {
  return sched_setaffinity(thread, bits_.size() * sizeof(unsigned long),
                           reinterpret_cast<const cpu_set_t*>(bits_.data())) == 0;
}

std::vector<int> AllowedCpus(pid_t thread, const GetAffinity& get) {
  std::vector<unsigned long> bits(CPU_SETSIZE / kWordBits);
  while (get(thread, bits.size() * sizeof(unsigned long),
             reinterpret_cast<cpu_set_t*>(bits.data())) != 0) {
    if (errno != EINVAL || bits.size() * kWordBits >= kMostCpus) return {};
    bits.assign(bits.size() * 2, 0);
  }
  std::vector<int> cpus;
  for (std::size_t bit = 0; bit < bits.size() * kWordBits; ++bit) {
    if ((bits[bit / kWordBits] >> bit % kWordBits & 1) != 0) cpus.push_back(static_cast<int>(bit));
  }
  return cpus;
}

std::optional<std::vector<int>> ParseCpuList(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::vector<int> cpus;
  while (!text.empty()) {
    const std::string_view range = text.substr(0, text.find(','));
    const std::size_t dash = range.find('-');
    int first = 0;
    int last = 0;
    if (!ParseNumber(range.substr(0, dash), first)) return std::nullopt;
    last = first;
    if (dash != range.npos && !ParseNumber(range.substr(dash + 1), last)) return std::nullopt;
    if (last < first) return std::nullopt;
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    text.remove_prefix(range.size());
    if (!text.empty()) text.remove_prefix(1);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string FormatCpuList(const std::vector<int>& ascending) {
  std::string text;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t end = i + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    text += (text.empty() ? "" : ",") + std::to_string(ascending[i]);
    if (end - i > 1) text += "-" + std::to_string(ascending[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace hvbench

// The texts of a row: random digits in groups of eleven, which no server can store in less.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels::mysql {

inline constexpr std::size_t kGroupDigits = 11;

constexpr std::size_t GroupsBytes(std::size_t groups) { return groups * (kGroupDigits + 1) - 1; }

// The texts of the columns c and pad, a little shorter than their CHAR(120) and CHAR(60).
using ColumnC = std::array<char, GroupsBytes(10)>;
using ColumnPad = std::array<char, GroupsBytes(5)>;

// `text` begins with a whole group.
inline void PutGroup(std::uint64_t number, std::span<char> text) {
  for (std::size_t digit = kGroupDigits; digit-- > 0; number /= 10) {
    text[digit] = static_cast<char>('0' + number % 10);
  }
}

inline void FillGroups(std::span<char> text, Random& random) {
  for (std::size_t at = 0; at < text.size(); at += kGroupDigits + 1) {
    PutGroup(random.Next(), text.subspan(at));
    if (at + kGroupDigits < text.size()) text[at + kGroupDigits] = '-';
  }
}

template <std::size_t kBytes>
std::string_view View(const std::array<char, kBytes>& text) {
  return {text.data(), text.size()};
}

}  // namespace hvbench::agent::kernels::mysql

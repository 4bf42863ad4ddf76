// A small register machine whose every step is a jump that depends on its data: the input of the
// branch-heavy kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

// One step executes operation (code + accumulator) % kOperations; the accumulator's low bits are as
// good as random, so a predictor that knew the program by heart would still miss most targets.
inline constexpr std::uint64_t kOperations = 8;

struct Machine {
  std::uint64_t accumulator = 0;
  std::uint64_t other = 0;
};

inline std::vector<std::uint8_t> RandomProgram(std::size_t steps, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> program(steps);
  for (std::uint8_t& code : program) code = static_cast<std::uint8_t>(random.Below(kOperations));
  return program;
}

// The state that a pass starts in.
inline Machine StartOf(std::uint64_t seed, std::uint64_t iteration) {
  return {Mix(seed + iteration), Mix(~(seed + iteration))};
}

// What each operation does, without a branch on the operation: the check of the timed interpreter.
inline Machine InterpretByTable(const std::vector<std::uint8_t>& program, Machine machine) {
  for (const std::uint8_t code : program) {
    const std::uint64_t a = machine.accumulator;
    const std::uint64_t b = machine.other;
    const std::array<Machine, kOperations> outcomes = {{
        {a * 3 + b, b},
        {(a ^ (b >> 7)) + 1, b + a},
        {b, a + 0x9e37},
        {a - b, b ^ (a << 9)},
        {(a >> 5) + b, b * 5},
        {(a & b) + (b >> 3), b + 0x51ed},
        {a ^ (a >> 11), b - a},
        {(a | 0x2545) + (b << 4), a},
    }};
    machine = outcomes[(code + a) % kOperations];
  }
  return machine;
}

}  // namespace hvbench::agent::kernels

// Unpredictable branches: an interpreter whose next operation depends on its data.
#include <algorithm>
#include <vector>

#include "benchmarks/kernels/support/bytecode.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

// The same operations as InterpretByTable, each behind its own jump.
Machine Interpret(const std::vector<std::uint8_t>& program, Machine machine) {
  std::uint64_t a = machine.accumulator;
  std::uint64_t b = machine.other;
  for (const std::uint8_t code : program) {
    const std::uint64_t old = a;
    switch ((code + a) % kOperations) {
      case 0:
        a = a * 3 + b;
        break;
      case 1:
        a = (a ^ (b >> 7)) + 1;
        b += old;
        break;
      case 2:
        a = b;
        b = old + 0x9e37;
        break;
      case 3:
        a -= b;
        b ^= old << 9;
        break;
      case 4:
        a = (a >> 5) + b;
        b *= 5;
        break;
      case 5:
        a = (a & b) + (b >> 3);
        b += 0x51ed;
        break;
      case 6:
        a ^= a >> 11;
        b -= old;
        break;
      default:
        a = (a | 0x2545) + (b << 4);
        b = old;
        break;
    }
  }
  return {a, b};
}

class Branchy : public Kernel {
 public:
  void Prepare(const Context& context) override {
    seed_ = context.seed();
    program_ = RandomProgram(context.Number("steps"), seed_);
  }

  void Run(std::uint64_t iterations) override {
    iterations_ = iterations;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      ends_[i % kChecked] = Interpret(program_, StartOf(seed_, i));
    }
    KeepAlive(ends_);
  }

  // Repeats the last iterations of the last Run, up to kChecked of them, and compares.
  void Verify() override {
    if (iterations_ == 0) throw WrongResult("nothing was run");
    const std::uint64_t checked = std::min<std::uint64_t>(iterations_, kChecked);
    for (std::uint64_t i = iterations_ - checked; i < iterations_; ++i) {
      const Machine expected = InterpretByTable(program_, StartOf(seed_, i));
      const Machine& end = ends_[i % kChecked];
      if (end.accumulator != expected.accumulator || end.other != expected.other) {
        throw WrongResult("the interpreter ended in a wrong state");
      }
    }
    iterations_ = 0;
    ends_.fill({});
  }

  Work WorkPerIteration() const override { return {.items = program_.size()}; }

 private:
  static constexpr std::size_t kChecked = 16;

  std::uint64_t seed_ = 0;
  std::vector<std::uint8_t> program_;
  std::uint64_t iterations_ = 0;
  std::array<Machine, kChecked> ends_{};
};

HVBENCH_KERNEL(Branchy, .name = "cpu/branchy",
               .summary = "Interprets a program whose jumps depend on its data", .unit = "step",
               .parameter_sets = {{kSmoke, {{"steps", "1000"}}}, {kReal, {{"steps", "10000"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

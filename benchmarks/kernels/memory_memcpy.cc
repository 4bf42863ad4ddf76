// The C library's memcpy, which chooses its method by the CPU features that the guest shows.
#include <algorithm>
#include <cstring>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {
namespace {

class Memcpy : public Kernel {
 public:
  void Prepare(const Context& context) override {
    const std::size_t bytes = context.Number("size_kib") * kKiB;
    source_ = Mapping(bytes, Pages::kSmall);
    destination_ = Mapping(bytes, Pages::kSmall);
    Random random(context.seed());
    for (std::uint64_t& word : source_.As<std::uint64_t>()) word = random.Next();
    destination_.Populate();
  }

  // The source's first word is the number of the iteration, so that no copy equals the one before.
  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      source_.As<std::uint64_t>()[0] = i;
      std::memcpy(destination_.data(), source_.data(), source_.bytes());
      KeepAlive(destination_.data());
    }
    last_ = iterations - 1;
  }

  void Verify() override {
    const auto copy = destination_.As<std::uint64_t>();
    const auto original = source_.As<std::uint64_t>();
    if (copy[0] != last_ || !std::equal(copy.begin(), copy.end(), original.begin())) {
      throw WrongResult("the copy differs from the original");
    }
    std::fill(copy.begin(), copy.end(), 0u);
  }

  // Bytes copied: half of what is read and written.
  Work WorkPerIteration() const override { return {.items = 1, .bytes = source_.bytes()}; }

 private:
  Mapping source_;
  Mapping destination_;
  std::uint64_t last_ = 0;
};

HVBENCH_KERNEL(Memcpy, .name = "memory/memcpy", .summary = "memcpy from one buffer to another",
               .unit = "copy",
               .parameter_sets = {{kSmoke | kReal, {{"size_kib", "4"}}},
                                  {kReal, {{"size_kib", "256"}}},
                                  {kReal, {{"size_kib", "65536"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels

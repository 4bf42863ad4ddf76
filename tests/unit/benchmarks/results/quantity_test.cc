#include "benchmarks/results/quantity.h"

#include <gtest/gtest.h>

namespace hvbench {
namespace {

TEST(Quantity, IsAsItsNameEnds) {
  struct {
    const char* name;
    double value;
    const char* text;
    Better better;
    const char* higher;
  } const cases[] = {
      {"real_time", 1530, "1.53 us", Better::kLess, "slower"},
      {"cpu_time", 12, "12 ns", Better::kLess, "slower"},
      {"p99.9_ns", 2e9, "2 s", Better::kLess, "slower"},
      {"boot_process_ms", 2500, "2.5 s", Better::kLess, "slower"},
      {"bytes_per_second", 2.01e9, "2.01 GB/s", Better::kMore, "faster"},
      {"items_per_second", 999.96, "1 k/s", Better::kMore, "faster"},
      {"sent_per_second", 12, "12 /s", Better::kMore, "faster"},
      {"pss_bytes", 50.0 * (1 << 20), "50 MiB", Better::kLess, "higher"},
      {"host_read_bytes", 4096, "4 KiB", Better::kNeither, "higher"},
      {"array_bytes", 128.0 * (1 << 20), "128 MiB", Better::kNeither, "higher"},
      {"lost_percent", 0.25, "0.25", Better::kLess, "higher"},
      {"cpus_used", 1.5, "1.5", Better::kNeither, "higher"},
      {"terms", 123456, "1.235e+05", Better::kNeither, "higher"},
  };
  for (const auto& c : cases) {
    const Quantity quantity = QuantityNamed(c.name);
    EXPECT_EQ(quantity.name, c.name);
    EXPECT_EQ(quantity.Print(c.value), c.text);
    EXPECT_EQ(quantity.better, c.better) << c.name;
    EXPECT_EQ(quantity.NameOfHigher(), c.higher) << c.name;
  }
}

// 1023 KiB and 1024 KiB print with the same number of digits or fewer than four.
TEST(Quantity, HasThreeDigitsAtMostInEveryUnit) {
  for (const char* name : {"real_time", "pss_bytes", "bytes_per_second", "items_per_second"}) {
    const Quantity quantity = QuantityNamed(name);
    for (double value = 1; value < 1e12; value *= 1.37) {
      const std::string text = quantity.Print(value);
      EXPECT_EQ(text.find('e'), std::string::npos) << text;
      EXPECT_LE(text.find(' '), 4u) << text;
    }
  }
}

}  // namespace
}  // namespace hvbench

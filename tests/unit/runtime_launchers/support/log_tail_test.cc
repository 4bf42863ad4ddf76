#include "runtime_launchers/support/log_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

std::string TailOf(const std::string& content, std::size_t max_bytes) {
  const TemporaryDir dir;
  const std::filesystem::path file = dir.path() / "log";
  std::ofstream(file, std::ios::binary) << content;
  return TailOfFile(file, max_bytes);
}

TEST(TailOfFile, KeepsWholeLinesWithinTheBound) {
  EXPECT_EQ(TailOf("one\ntwo\nthree\n", 100), "one\ntwo\nthree");
  EXPECT_EQ(TailOf("one\ntwo\nthree\n", 12), "two\nthree");
  EXPECT_EQ(TailOf(std::string(1000, 'x'), 10), std::string(10, 'x'));
  EXPECT_EQ(TailOf("", 10), "");
  EXPECT_EQ(TailOf("\n\n\n", 10), "");
}

TEST(TailOfFile, ReplacesWhatCouldDriveATerminal) {
  EXPECT_EQ(TailOf("a\x1b[2Jb\tc\x07\xff\n", 100), "a?[2Jb\tc??");
  EXPECT_EQ(TailOf("a\r\n\r\nb\rc\r\n", 100), "a\n\nb?c");  // a serial port's lines
}

TEST(TailOfFile, AnythingButAFileIsEmpty) {
  EXPECT_EQ(TailOfFile("/nonexistent/log"), "");
  EXPECT_EQ(TailOfFile("/tmp"), "");
  EXPECT_EQ(TailOfFile("/dev/zero"), "");
}

TEST(AsQuote, IndentsEveryLine) {
  EXPECT_EQ(AsQuote("a\nb"), "\n  | a\n  | b");
  EXPECT_EQ(AsQuote(""), "");
}

TEST(AsQuote, HasFewLinesOfAFlood) {
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "y\n";
  const std::string quote = AsQuote(flood + "the end\n");
  EXPECT_EQ(std::count(quote.begin(), quote.end(), '\n'), 50);
  EXPECT_TRUE(quote.ends_with("\n  | y\n  | the end")) << quote;
  EXPECT_LT(AsQuote(std::string(100'000, 'x')).size(), 2 * kLogTailBytes);
}

}  // namespace
}  // namespace hvbench

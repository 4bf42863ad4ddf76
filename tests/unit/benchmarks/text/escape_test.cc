#include "benchmarks/text/escape.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hvbench {
namespace {

TEST(CleanText, KeepsTextAndReplacesTheRest) {
  EXPECT_EQ(CleanText("plain\ttext\nof \xC3\xA4, \xE2\x96\xB2 and \xF0\x9F\x90\x84"),
            "plain\ttext\nof \xC3\xA4, \xE2\x96\xB2 and \xF0\x9F\x90\x84");
  EXPECT_EQ(CleanText(std::string_view("a\0b\x1b[2J\x7f\r", 9)), "a?b?[2J??");
  EXPECT_EQ(CleanText("\xC2\x9B"
                      "31m"),
            "?31m")
      << "CSI in one character";
  EXPECT_EQ(CleanText("\xE2\x80\xAE"
                      "gnp"),
            "?gnp")
      << "right to left";
  for (const char* bad : {"\xFF", "\xC0", "\x80", "\xC3", "\xF5"}) {
    EXPECT_EQ(CleanText(bad), "\xEF\xBF\xBD");
  }
  EXPECT_EQ(CleanText("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "overlong";
  EXPECT_EQ(CleanText("\xED\xA0\x80x").substr(9), "x") << "a surrogate";
  EXPECT_EQ(CleanText("\xE2\x96|"), "\xEF\xBF\xBD\xEF\xBF\xBD|") << "cut off";
}

TEST(ForTerminalLine, IsOneLine) { EXPECT_EQ(ForTerminalLine("a\nb\tc\x1b"), "a b c?"); }

TEST(ForMarkdown, LeavesNamesAlone) {
  for (const char* name :
       {"disk/randread/engine:io_uring/block_kib:4/runtime:gvisor", "2.00 [1.90, 2.10]", "▲ 1.05",
        "no, \"really\"", "host_name", "100 ns ±3%"}) {
    EXPECT_EQ(ForMarkdown(name), name);
  }
}

TEST(ForMarkdown, TakesTheMeaningFromEverythingElse) {
  EXPECT_EQ(ForMarkdown("[x](javascript:y)"), "[x]\\(javascript:y)");
  EXPECT_EQ(ForMarkdown("![x](http://y)"), "![x]\\(http:\\//y)");
  EXPECT_EQ(ForMarkdown("[x][y] [z]: w"), "[x]\\[y] [z]\\: w");
  EXPECT_EQ(ForMarkdown("https://evil www.evil.org"), "https:\\//evil www\\.evil.org");
  EXPECT_EQ(ForMarkdown("<img src=x>&lt;"), "&lt;img src=x&gt;&amp;lt;");
  EXPECT_EQ(ForMarkdown("a|b\n# c"), "a\\|b<br>\\# c");
  EXPECT_EQ(ForMarkdown("*a* _b_ `c` ~d~ $e$ \\"), "\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\$e\\$ \\\\");
  EXPECT_EQ(ForMarkdown("_"), "\\_");
}

TEST(ForCsv, QuotesAndCalculatesNothing) {
  EXPECT_EQ(ForCsv("plain -1 text"), "plain -1 text");
  EXPECT_EQ(ForCsv("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)"}) {
    EXPECT_EQ(ForCsv(formula), "'" + std::string(formula));
  }
  EXPECT_EQ(ForCsv(" \n=cmd|' /C calc'!A0"), "\"' \n=cmd|' /C calc'!A0\"");
  EXPECT_EQ(ForCsv("a;=1"), "\"a;=1\"") << "where the semicolon separates";
  EXPECT_EQ(ForCsv(""), "");
}

TEST(ForLabel, EscapesWhatEndsIt) {
  EXPECT_EQ(ForLabel("a \"b\" \\ c\nd\r"), "\"a \\\"b\\\" \\\\ c\\nd?\"");
}

TEST(ForScript, CannotEndItsElement) {
  EXPECT_EQ(ForScript("\"</script><!--\""), "\"\\u003c/script>\\u003c!--\"");
}

TEST(TerminalFilter, CleansWhateverAStreamIsGiven) {
  std::ostringstream out;
  {
    const TerminalFilter filter(out);
    out << "a\x1b[31m" << '\x07' << 5 << std::string("\xC3\xA4\n");
  }
  out << "\x07";
  EXPECT_EQ(out.str(), "a?[31m?5\xC3\xA4\n\x07");
}

}  // namespace
}  // namespace hvbench

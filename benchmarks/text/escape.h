// One function for each form of output. All text that this program did not make itself goes through
// one of them: what guests, runtimes and files say, names of files, and names out of files.
//
// None of them lets out what is no UTF-8, nor characters that steer a terminal or turn the
// direction of the text around them.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace hvbench {

// For JSON and whatever else escapes the rest itself: U+FFFD for bytes that are no UTF-8, '?' for
// control characters but newlines and tabs.
std::string CleanText(std::string_view text);

// The same: lines stay lines.
std::string ForTerminal(std::string_view text);
// For one row of a table or a message of one line.
std::string ForTerminalLine(std::string_view text);

// Has all that is written to a stream go through ForTerminal, as long as it lives: for messages,
// which have a guest's words in them wherever they come from.
class TerminalFilter : public std::streambuf {
 public:
  explicit TerminalFilter(std::ostream& stream) : stream_(stream), inner_(stream.rdbuf(this)) {}
  ~TerminalFilter() override { stream_.rdbuf(inner_); }
  TerminalFilter(const TerminalFilter&) = delete;
  TerminalFilter& operator=(const TerminalFilter&) = delete;

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int_type overflow(int_type c) override;
  int sync() override { return inner_->pubsync(); }

 private:
  std::ostream& stream_;
  std::streambuf* inner_;
};

// Within a line of GitHub's Markdown: no link, no HTML, no emphasis, no end of a table's cell.
std::string ForMarkdown(std::string_view text);

// A field as RFC 4180 has it; where a spreadsheet would take it for a formula, with a leading '.
std::string ForCsv(std::string_view text);

// A label's value in OpenMetrics, with its quotes.
std::string ForLabel(std::string_view text);

// JSON inside of a page's <script>, which it must not be able to end.
std::string ForScript(std::string_view json);

}  // namespace hvbench

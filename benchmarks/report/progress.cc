#include "benchmarks/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "benchmarks/text/escape.h"

namespace hvbench {
namespace {

constexpr char kClearLine[] = "\r\033[K";

std::string Minutes(std::chrono::steady_clock::duration time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld:%02lld", static_cast<long long>(seconds / 60),
                static_cast<long long>(seconds % 60));
  return text.data();
}

std::size_t TerminalColumns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::Begin(int repetitions) {
  total_ = repetitions;
  begun_ = 0;
  start_ = Clock::now();
}

std::string Progress::Line(const std::string& name) const {
  // Google Benchmark may repeat a benchmark for reasons of its own, such as a warm-up.
  const int done = std::min(begun_, total_) - 1;
  const auto elapsed = Clock::now() - start_;
  std::string line = "[" + std::to_string(done + 1) + "/" + std::to_string(total_) + "] " + name +
                     ", " + Minutes(elapsed) + " elapsed";
  if (done > 0) line += ", about " + Minutes(elapsed / done * (total_ - done)) + " left";
  return line;
}

void Progress::BeginRepetition(const CellName& cell) {
  ++begun_;
  const std::string name = FormatCellName(cell);
  if (terminal_) {
    std::string line = Line(name);
    // A line that wraps could not be removed again.
    if (line.size() >= TerminalColumns()) line.resize(TerminalColumns() - 1);
    std::fprintf(stderr, "%s%s", kClearLine, line.c_str());
    line_shown_ = true;
  } else if (name != last_name_) {
    std::fprintf(stderr, "%s\n", Line(name).c_str());
  }
  last_name_ = name;
}

void Progress::Clear() {
  if (line_shown_) std::fputs(kClearLine, stderr);
  line_shown_ = false;
}

void Progress::Note(const std::string& text) {
  Clear();
  std::fprintf(stderr, "hvbench: %s\n", ForTerminal(text).c_str());
}

}  // namespace hvbench

#include "runtime_launchers/support/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {
namespace {

// A panic's call trace, but no flood of short lines.
constexpr int kQuotedLines = 50;

}  // namespace

std::string TailOfFile(const std::filesystem::path& file, std::size_t max_bytes) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info = {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "";

  const auto size = static_cast<std::size_t>(info.st_size);
  const std::size_t start = size > max_bytes ? size - max_bytes - 1 : 0;
  std::string text(size - start, '\0');
  const ssize_t n = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(start));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return LastLines(std::move(text), max_bytes);
}

std::string LastLines(std::string text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    text.erase(0, text.size() - max_bytes);
    const std::size_t line_end = text.find('\n');
    if (line_end != std::string::npos && line_end + 1 < text.size()) text.erase(0, line_end + 1);
  }
  text.erase(text.find_last_not_of("\n\r ") + 1);
  return Printable(std::move(text));
}

std::string Printable(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
  std::replace_if(
      text.begin(), text.end(),
      [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f; }, '?');
  return text;
}

std::string AsQuote(const std::string& text) {
  std::string lines = LastLines(text, kLogTailBytes);
  if (lines.empty()) return "";
  std::size_t begin = lines.size();
  for (int i = 0; i < kQuotedLines && begin != 0 && begin != std::string::npos; ++i) {
    begin = lines.rfind('\n', begin - 1);
  }
  if (begin != 0 && begin != std::string::npos) lines.erase(0, begin + 1);
  std::string quote = "\n  | ";
  for (const char c : lines) {
    quote += c;
    if (c == '\n') quote += "  | ";
  }
  return quote;
}

}  // namespace hvbench

// The end of a log file, bounded: what a guest writes there is not trusted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace hvbench {

inline constexpr std::size_t kLogTailBytes = 4096;

// The last whole lines of a file within `max_bytes`, without a trailing newline and with
// unprintable bytes replaced by '?'. "" if there is no such file.
std::string TailOfFile(const std::filesystem::path& file, std::size_t max_bytes = kLogTailBytes);

// The same of a text.
std::string LastLines(std::string text, std::size_t max_bytes);

// With unprintable bytes, beside newlines and tabs, replaced by '?'; "\r\n" becomes a newline.
std::string Printable(std::string text);

// "\n" and the indented last lines, to stand behind an error's first sentence; "" for an empty
// text.
std::string AsQuote(const std::string& text);

}  // namespace hvbench

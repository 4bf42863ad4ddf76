#include "benchmarks/text/escape.h"

#include <cctype>
#include <cstddef>
#include <cstdint>

namespace hvbench {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The character that `text` begins with and its bytes; 0 bytes if it begins with no UTF-8 (RFC
// 3629: neither overlong forms nor surrogates).
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

Character First(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[bytes] || code > 0x10FFFF || surrogate) return {};
  return {code, bytes};
}

// C0 but newlines and tabs, DEL, C1; line and paragraph separators; marks, embeddings and isolates
// of direction (UAX #9).
bool Steers(std::uint32_t code) {
  return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0) ||
         code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

bool IsAlphanumeric(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

}  // namespace

std::string CleanText(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const Character first = First(text);
    if (first.bytes == 0) {
      clean += kReplacement;
    } else if (Steers(first.code)) {
      clean += '?';
    } else {
      clean += text.substr(0, first.bytes);
    }
    text.remove_prefix(first.bytes == 0 ? 1 : first.bytes);
  }
  return clean;
}

std::string ForTerminal(std::string_view text) { return CleanText(text); }

std::string ForTerminalLine(std::string_view text) {
  std::string line = CleanText(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

std::streamsize TerminalFilter::xsputn(const char* text, std::streamsize size) {
  const std::string clean = ForTerminal({text, static_cast<std::size_t>(size)});
  const auto clean_size = static_cast<std::streamsize>(clean.size());
  return inner_->sputn(clean.data(), clean_size) == clean_size ? size : 0;
}

TerminalFilter::int_type TerminalFilter::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  return xsputn(&one, 1) == 1 ? c : traits_type::eof();
}

std::string ForMarkdown(std::string_view text) {
  const std::string clean = CleanText(text);
  std::string escaped;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    const bool after_bracket = i > 0 && clean[i - 1] == ']';
    // There it means nothing.
    const bool in_a_word = c == '_' && IsAlphanumeric(clean, i - 1) && IsAlphanumeric(clean, i + 1);
    if (c == '\n') {
      escaped += "<br>";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (!in_a_word && (std::string_view("\\`*_|~#$").find(c) != std::string_view::npos ||
                              (after_bracket && (c == '(' || c == '[' || c == ':')))) {
      escaped += '\\';
      escaped += c;
    } else if (c == '/' && i > 0 && clean[i - 1] == ':' && i + 1 < clean.size() &&
               clean[i + 1] == '/') {
      escaped += "\\/";  // an address would be a link by itself
    } else if (c == '.' && i >= 3 && clean.compare(i - 3, 3, "www") == 0) {
      escaped += "\\.";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string ForCsv(std::string_view text) {
  std::string field = CleanText(text);
  const std::size_t first = field.find_first_not_of(" \t\n");
  if (first != std::string::npos &&
      std::string_view("=+-@").find(field[first]) != std::string_view::npos) {
    field.insert(0, 1, '\'');
  }
  if (field.find_first_of(",\"\n\t;") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string ForLabel(std::string_view text) {
  std::string escaped = "\"";
  for (const char c : CleanText(text)) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped + '"';
}

std::string ForScript(std::string_view json) {
  std::string escaped;
  for (const char c : json) c == '<' ? escaped += "\\u003c" : escaped += c;
  return escaped;
}

}  // namespace hvbench

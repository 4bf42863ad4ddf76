#include "benchmarks/text/text_table.h"

#include <algorithm>

#include "benchmarks/text/escape.h"

namespace hvbench {
namespace {

// Columns of a terminal that the text takes: UTF-8 continuation bytes take none.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void TextTable::Print(TableStyle style, std::ostream& out) const {
  style == TableStyle::kMarkdown ? PrintMarkdown(out) : PrintText(out);
}

void TextTable::PrintText(std::ostream& out) const {
  std::vector<std::vector<std::string>> rows = rows_;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = ForTerminalLine(cell);
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - Width(row[i]), ' ');
      line += i == 0 ? row[i] + padding : "  " + padding + row[i];
    }
    out << line << '\n';
  }
}

void TextTable::PrintMarkdown(std::ostream& out) const {
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (const std::string& cell : rows_[r]) out << "| " << ForMarkdown(cell) << ' ';
    out << "|\n";
    if (r > 0) continue;
    for (std::size_t i = 0; i < rows_[0].size(); ++i) out << (i == 0 ? "|---" : "|---:");
    out << "|\n";
  }
}

}  // namespace hvbench

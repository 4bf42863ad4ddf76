// Numbers as people read them, and tables of them as plain text.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace hvbench {

// printf's format for one double.
std::string PrintNumber(const char* format, double value);

// Three digits and a unit: "12.3 us".
std::string PrintTime(double ns);

// "0.031", "1.02", "16.5", "104".
std::string PrintRatio(double ratio);

enum class TableStyle { kText, kMarkdown };

// A left column of names, all others aligned to the right. The first row is the heading.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) : rows_{std::move(heading)} {}

  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() < 2; }
  void Print(TableStyle style, std::ostream& out) const;

 private:
  void PrintText(std::ostream& out) const;
  void PrintMarkdown(std::ostream& out) const;

  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hvbench

// Tables as plain text and as Markdown.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace hvbench {

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

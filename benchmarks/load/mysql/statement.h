// A statement that the server has prepared. One without parameters and result that it cannot
// prepare (BEGIN, for MySQL) is sent as text, as sysbench does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "benchmarks/load/mysql/connection.h"

namespace hvbench::agent::kernels::mysql {

// Where the value of a placeholder stands whenever the statement is executed.
using Parameter = std::variant<const std::int32_t*, std::span<const char>>;

class Statement {
 public:
  // `parameters`, one for each placeholder, and the connection outlive it. `row_bytes`: how long
  // each row of the result must be, which has one column; 0: any length.
  Statement(Connection& connection, const std::string& sql,
            std::initializer_list<Parameter> parameters, std::size_t row_bytes = 0);
  Statement(const Statement&) = delete;  // the library knows where row_ and fetched_bytes_ are
  Statement& operator=(const Statement&) = delete;

  // Returns how many rows came back, or were changed by a statement without a result. A row of
  // another length than `row_bytes` is not counted.
  std::uint64_t Execute();

 private:
  void BindParameters(std::initializer_list<Parameter> parameters);
  void BindResult();
  std::uint64_t FetchRows();
  [[noreturn]] void Fail() const;

  struct Close {
    void operator()(MYSQL_STMT* handle) const { mysql_stmt_close(handle); }
  };
  Connection& connection_;
  std::string sql_;
  std::size_t row_bytes_;
  std::vector<char> row_;
  unsigned long fetched_bytes_ = 0;
  std::unique_ptr<MYSQL_STMT, Close> handle_;  // null for what is sent as text
};

}  // namespace hvbench::agent::kernels::mysql

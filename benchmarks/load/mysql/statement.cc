#include "benchmarks/load/mysql/statement.h"

#include <mysqld_error.h>

#include <stdexcept>

namespace hvbench::agent::kernels::mysql {
namespace {

constexpr std::size_t kMostRowBytes = 256;

MYSQL_BIND Bind(const Parameter& parameter) {
  MYSQL_BIND bind{};
  // The library takes all buffers as mutable, and only reads those of parameters.
  if (const auto* number = std::get_if<const std::int32_t*>(&parameter)) {
    bind.buffer_type = MYSQL_TYPE_LONG;
    bind.buffer = const_cast<std::int32_t*>(*number);
  } else {
    const auto text = std::get<std::span<const char>>(parameter);
    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = const_cast<char*>(text.data());
    bind.buffer_length = text.size();
  }
  return bind;
}

}  // namespace

Statement::Statement(Connection& connection, const std::string& sql,
                     std::initializer_list<Parameter> parameters, std::size_t row_bytes)
    : connection_(connection),
      sql_(sql),
      row_bytes_(row_bytes),
      handle_(mysql_stmt_init(connection.get())) {
  if (handle_ == nullptr) throw std::bad_alloc();
  if (mysql_stmt_prepare(handle_.get(), sql_.data(), sql_.size()) != 0) {
    if (mysql_stmt_errno(handle_.get()) != ER_UNSUPPORTED_PS || parameters.size() > 0) Fail();
    handle_.reset();
    return;
  }
  if (mysql_stmt_param_count(handle_.get()) != parameters.size()) {
    throw std::logic_error("a parameter for each placeholder: " + sql_);
  }
  if (parameters.size() > 0) BindParameters(parameters);
  if (mysql_stmt_field_count(handle_.get()) > 0) BindResult();
}

void Statement::BindParameters(std::initializer_list<Parameter> parameters) {
  std::vector<MYSQL_BIND> binds;
  for (const Parameter& parameter : parameters) binds.push_back(Bind(parameter));
  if (mysql_stmt_bind_param(handle_.get(), binds.data()) != 0) Fail();  // copies the array
}

void Statement::BindResult() {
  row_.resize(kMostRowBytes);
  MYSQL_BIND bind{};
  bind.buffer_type = MYSQL_TYPE_STRING;
  bind.buffer = row_.data();
  bind.buffer_length = row_.size();
  bind.length = &fetched_bytes_;
  if (mysql_stmt_bind_result(handle_.get(), &bind) != 0) Fail();
}

std::uint64_t Statement::Execute() {
  if (handle_ == nullptr) {
    connection_.Execute(sql_);
    return 0;
  }
  if (mysql_stmt_execute(handle_.get()) != 0) Fail();
  return row_.empty() ? mysql_stmt_affected_rows(handle_.get()) : FetchRows();
}

// As they come from the network, without a copy of the whole result.
std::uint64_t Statement::FetchRows() {
  std::uint64_t rows = 0;
  for (;;) {
    const int status = mysql_stmt_fetch(handle_.get());
    if (status == MYSQL_NO_DATA) return rows;
    if (status == 1) Fail();
    if (row_bytes_ == 0 || fetched_bytes_ == row_bytes_) ++rows;
  }
}

void Statement::Fail() const {
  throw MySqlError(sql_ + ": " + mysql_stmt_error(handle_.get()), mysql_stmt_errno(handle_.get()));
}

}  // namespace hvbench::agent::kernels::mysql

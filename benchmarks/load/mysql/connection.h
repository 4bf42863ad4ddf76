// A client's connection to a MySQL or MariaDB server, on libmariadb's blocking calls.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels::mysql {

// What the server or the client library refused, with the number that they give it.
class MySqlError : public KernelFailed {
 public:
  MySqlError(const std::string& what, unsigned code)
      : KernelFailed(what + " (" + std::to_string(code) + ")"), code_(code) {}

  unsigned code() const { return code_; }
  // The transaction met another one, and succeeds when it is repeated.
  bool IsConflict() const;
  // The connection is gone, whatever became of the statement.
  bool IsLostConnection() const;

 private:
  unsigned code_;
};

// Where a server listens, and as whom to log in.
struct Account {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string password;
};

class Connection {
 public:
  // Throws MySqlError where the server is not there or does not let us in.
  explicit Connection(const Account& account);

  // A statement without a result.
  void Execute(const std::string& sql);
  // The texts of the result's first row, "" for NULL; empty if it has no row.
  std::vector<std::string> QueryRow(const std::string& sql);

  MYSQL* get() const { return handle_.get(); }

 private:
  [[noreturn]] void Fail(const std::string& what) const;

  struct Close {
    void operator()(MYSQL* handle) const { mysql_close(handle); }
  };
  std::unique_ptr<MYSQL, Close> handle_;
};

}  // namespace hvbench::agent::kernels::mysql

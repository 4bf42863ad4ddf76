#include "benchmarks/load/mysql/connection.h"

#include <errmsg.h>
#include <mysqld_error.h>

#include <mutex>

namespace hvbench::agent::kernels::mysql {
namespace {

constexpr unsigned kConnectTimeoutS = 20;
// Above the server's own innodb_lock_wait_timeout, which is 50 s unless it is told otherwise.
constexpr unsigned kAnswerTimeoutS = 60;

MYSQL* NewHandle() {
  static std::once_flag once;  // mysql_init does it too, but not for several threads at a time
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  MYSQL* const handle = mysql_init(nullptr);
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

std::string Excerpt(const std::string& sql) {
  constexpr std::size_t kMost = 80;
  return sql.size() <= kMost ? sql : sql.substr(0, kMost) + "...";
}

}  // namespace

bool MySqlError::IsConflict() const {
  return code_ == ER_LOCK_DEADLOCK || code_ == ER_LOCK_WAIT_TIMEOUT || code_ == ER_CHECKREAD;
}

bool MySqlError::IsLostConnection() const {
  return code_ == CR_SERVER_GONE_ERROR || code_ == CR_SERVER_LOST ||
         code_ == ER_CONNECTION_KILLED || code_ == ER_SERVER_SHUTDOWN;
}

Connection::Connection(const Account& account) : handle_(NewHandle()) {
  mysql_optionsv(get(), MYSQL_OPT_CONNECT_TIMEOUT, &kConnectTimeoutS);
  mysql_optionsv(get(), MYSQL_OPT_READ_TIMEOUT, &kAnswerTimeoutS);
  mysql_optionsv(get(), MYSQL_OPT_WRITE_TIMEOUT, &kAnswerTimeoutS);
  // Neither the files nor the environment of whoever starts the benchmark decide anything.
  constexpr unsigned kTcp = MYSQL_PROTOCOL_TCP;
  mysql_optionsv(get(), MYSQL_OPT_PROTOCOL, &kTcp);
  mysql_optionsv(get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // Newer libraries want TLS unless they are told; the older ones want none. One that wants it, and
  // gets none, sends MySQL the password as if it had it, which is refused.
  constexpr my_bool kNo = 0;
  mysql_optionsv(get(), MYSQL_OPT_SSL_ENFORCE, &kNo);
  mysql_optionsv(get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &kNo);
  if (mysql_real_connect(get(), account.host.c_str(), account.user.c_str(),
                         account.password.c_str(), nullptr, account.port, nullptr,
                         CLIENT_FOUND_ROWS) == nullptr) {
    Fail("connect to MySQL at " + account.host + ":" + std::to_string(account.port));
  }
}

void Connection::Fail(const std::string& what) const {
  throw MySqlError(what + ": " + mysql_error(get()), mysql_errno(get()));
}

void Connection::Execute(const std::string& sql) {
  if (mysql_real_query(get(), sql.data(), sql.size()) != 0) Fail(Excerpt(sql));
}

std::vector<std::string> Connection::QueryRow(const std::string& sql) {
  Execute(sql);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(get()),
                                                                        mysql_free_result);
  if (result == nullptr) Fail(Excerpt(sql));
  const char* const* const row = mysql_fetch_row(result.get());
  if (row == nullptr) return {};
  std::vector<std::string> texts;
  for (unsigned i = 0; i < mysql_num_fields(result.get()); ++i) {
    texts.emplace_back(row[i] == nullptr ? "" : row[i]);
  }
  return texts;
}

}  // namespace hvbench::agent::kernels::mysql

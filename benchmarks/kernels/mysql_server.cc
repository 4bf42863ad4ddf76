// MariaDB or MySQL in the guest, for load from outside: started, asked from within until it serves,
// stopped.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/kernels/support/mysql_account.h"
#include "benchmarks/kernels/support/server/mysql_probe.h"
#include "benchmarks/kernels/support/server/server_kernel.h"

namespace hvbench::agent::kernels {
namespace {

using namespace std::chrono_literals;

// The longest are those of an emulated machine.
constexpr auto kInstallTimeout = 100s;
constexpr auto kMysqlStartTimeout = 60s;
constexpr auto kAnswerTimeout = 10s;
constexpr auto kStopTimeout = 20s;  // an orderly end writes the buffer pool back

constexpr char kProbeUser[] = "probe";  // without password and rights
constexpr char kMysqlDirectory[] = "/srv/hvbench-mysql";

// A path of the server's own folder.
std::string MysqlPath(const std::string& name) { return kMysqlDirectory + ("/" + name); }

// What differs between the two.
struct Server {
  const char* program;
  const char* install;  // makes the data, for a shell in which "$@" is the server
  const char* options;  // of its configuration, unknown to the other one
};

// A root has one of them; MariaDB's also has a link of the other one's name.
constexpr Server kServers[] = {
    {.program = "/usr/sbin/mariadbd",
     // The scripts are those that mariadb-install-db would run, without the texts of HELP and the
     // schema `sys`.
     .install = "{ printf '%s;\\n' 'CREATE DATABASE mysql' 'USE mysql'"
                " && cat /usr/share/mysql/mysql_system_tables.sql"
                " /usr/share/mysql/mysql_system_tables_data.sql; } | \"$@\" --bootstrap",
     .options = "innodb_log_file_size=64M\n"},
    // TLS, which nobody asks for, would have keys of its own made; mysqlx is a second protocol on a
    // port of its own; the folder for files comes with a package that the root does not have.
    {.program = "/usr/sbin/mysqld",
     .install = "exec \"$@\" --initialize-insecure",
     .options = "innodb_redo_log_capacity=64M\n"
                "auto_generate_certs=OFF\n"
                "mysqlx=OFF\n"
                "secure_file_priv=NULL\n"}};

const Server& ServerIn(const std::string& root) {
  for (const Server& server : kServers) {
    if (access((root + server.program).c_str(), X_OK) == 0) return server;
  }
  throw Unsupported("the application root has neither mariadbd nor mysqld in /usr/sbin");
}

std::string Configuration(const Server& server, std::uint64_t buffer_pool_mib) {
  std::string text = "[mysqld]\n";
  text += "user=root\n";  // as all of the agent's children: no account that a tree must have
  text += "datadir=" + MysqlPath("data") + "\n";
  text += "socket=" + MysqlPath("data/socket") + "\n";
  text += "pid_file=" + MysqlPath("data/pid") + "\n";
  text += "port=" + std::to_string(kMySqlPort) + "\n";
  text += "bind_address=0.0.0.0\n";
  text += "skip_name_resolve=ON\n";
  text += "skip_log_bin\n";
  text += "character_set_server=utf8mb4\n";
  text += "collation_server=utf8mb4_general_ci\n";
  text += "max_connections=200\n";
  text += "max_prepared_stmt_count=100000\n";
  text += "innodb_buffer_pool_size=" + std::to_string(buffer_pool_mib) + "M\n";
  text += "innodb_flush_method=O_DIRECT\n";
  // io_uring is not allowed in every runtime: the same threads do the same calls in each.
  text += "innodb_use_native_aio=OFF\n";
  // The pool is neither filled nor saved behind the back of a cell.
  text += "innodb_buffer_pool_dump_at_shutdown=OFF\n";
  text += "innodb_buffer_pool_load_at_startup=OFF\n";
  // By default, MySQL would have it and MariaDB not.
  text += "performance_schema=OFF\n";
  return text + server.options;
}

// One statement a line, as init_file wants them. An account of an earlier start gets the password.
std::string InitialStatements(const std::string& password) {
  const std::string account = std::string("'") + kMySqlUser + "'@'%'";
  const std::string identified = account + " IDENTIFIED BY '" + password + "';\n";
  return std::string("CREATE USER IF NOT EXISTS '") + kProbeUser + "'@'127.0.0.1';\n" +
         "CREATE USER IF NOT EXISTS " + identified + "ALTER USER " + identified +
         "GRANT ALL PRIVILEGES ON *.* TO " + account + ";\n";
}

std::vector<std::string> Command(const Server& server) {
  return {server.program, "--defaults-file=" + MysqlPath("my.cnf")};
}

// The data stay as long as their guest, with what was loaded.
void Install(const std::string& root, const Server& server) {
  ServerCommand install;
  install.argv = {"/bin/sh", "-c", server.install, "sh"};
  for (std::string& word : Command(server)) install.argv.push_back(std::move(word));
  install.log = MysqlPath("install.log");
  RunInApplicationRoot(root, install, kInstallTimeout);
}

class MySqlServer : public ServerKernel {
 public:
  void Prepare(const Context& context) override {
    const std::uint64_t buffer_pool_mib = context.Number("buffer_pool_mib");
    const std::string& root = context.application_root();
    const Server& server = ServerIn(root);
    const std::string installed =
        MysqlPath("installed");  // a file that says that all data are made
    std::error_code error;
    const bool is_new = !std::filesystem::exists(root + installed, error);
    if (is_new) MakeEmptyDirectory(root, MysqlPath("data"));
    WriteFileIn(root, MysqlPath("my.cnf"), Configuration(server, buffer_pool_mib));
    WriteFileIn(root, MysqlPath("init.sql"), InitialStatements(MySqlPassword(context.seed())));
    if (is_new) {
      Install(root, server);
      WriteFileIn(root, installed, "");
    }
    ServerCommand command;
    command.argv = Command(server);
    command.argv.push_back("--init-file=" + MysqlPath("init.sql"));
    command.log = MysqlPath("server.log");
    command.stop_timeout = kStopTimeout;
    server_ = std::make_unique<ServerProcess>(root, command);
    server_->AwaitServing(Answers, kMysqlStartTimeout);
  }

  // Queries from within, for whoever asks whether it still serves. One that ends at this moment may
  // be silent before it is gone.
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      server_->AwaitServing(Answers, kAnswerTimeout);
      return true;
    });
  }

 private:
  static bool Answers() { return MySqlAnswers(kMySqlPort, kProbeUser); }
};

HVBENCH_KERNEL(MySqlServer, .name = "mysql/server",
               .summary = "Serves databases to the load generator outside of the guest",
               .unit = "query", .parameter_sets = {{kSmoke | kReal, {{"buffer_pool_mib", "128"}}}},
               .needs = protocol::kApplication,
               // As scripts/lib/application_root.sh knows them.
               .packages = {"mariadb-server-core", "mysql-server-core", "mysql-server-core-8.4",
                            "mysql-server-core-8.0"});

}  // namespace
}  // namespace hvbench::agent::kernels

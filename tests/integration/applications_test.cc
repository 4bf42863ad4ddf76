// Real servers in real guests, under real load.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>
#include <regex>
#include <thread>

#include "fixtures/images/application_root.h"
#include "runtime_launchers/support/proc_stats.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;

class ApplicationsTest : public ProgramTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    if (!FindExecutable("ip")) GTEST_SKIP() << "needs the package iproute2";
    if (!fs::exists(FindApplicationRoot() / "id")) {
      GTEST_SKIP() << "there are no applications in " << FindApplicationRoot();
    }
  }

  std::vector<std::string> Arguments(const std::string& runtimes, const std::string& filter) const {
    return {"--hvbench_runtimes=" + runtimes, "--hvbench_profile=smoke",
            "--benchmark_filter=" + filter, "--benchmark_out=" + (dir_ / "r.json").string()};
  }

  // A file in a guest's view of the application root, as soon as it is there and has been written;
  // "" if it does not come.
  fs::path AwaitGuestFile(const std::string& name) const {
    for (int i = 0; i < 60'000; ++i) {
      std::error_code error;
      for (const auto& run : fs::directory_iterator(work_dir_ / "runs", error)) {
        for (const auto& guest : fs::directory_iterator(run.path(), error)) {
          const fs::path path = guest.path() / "application" / name;
          if (fs::exists(path, error) && fs::file_size(path, error) > 0) return path;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
  }

  // The database server that the root has.
  static std::string Database() {
    return fs::exists(FindApplicationRoot() / "tree/usr/sbin/mariadbd") ? "mariadbd" : "mysqld";
  }

  static bool Failed(const nlohmann::json& row) { return row.value("error_occurred", false); }
  static double Number(const nlohmann::json& row, const char* key) {
    return row.at(key).get<double>();
  }
};

// Processes of that name below one of the program's.
std::vector<pid_t> ServersOf(pid_t program, const std::string& name) {
  std::vector<pid_t> servers;
  for (const pid_t pid : ProcessesNamed(name)) {
    std::optional<pid_t> ancestor = pid;
    while (ancestor && *ancestor > 1 && *ancestor != program) {
      ancestor = ParentOfProcess(*ancestor);
    }
    if (ancestor == program) servers.push_back(pid);
  }
  return servers;
}

TEST_F(ApplicationsTest, NginxServesFromEachRuntimeAndLeavesNothing) {
  const std::string runtimes = FindExecutable("runc") ? "native,runc" : "native";
  const ProgramResult result = Run(Arguments(runtimes, "^nginx/"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  int rows = 0;
  const nlohmann::json json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    ++rows;
    ASSERT_FALSE(Failed(row)) << row;
    EXPECT_EQ(Number(row, "lost_connections"), 0) << row;
    EXPECT_EQ(Number(row, "wrong_responses"), 0) << row;
    EXPECT_GT(Number(row, "items_per_second"), 10) << row;
    EXPECT_GT(Number(row, "cpu_time"), 1000) << "the server's, ns: " << row;
    EXPECT_GT(Number(row, "host_cpu_ns"), 1000) << row;
    EXPECT_GT(Number(row, "load_cpu_ns"), 1000) << row;
    EXPECT_GT(Number(row, "pss_bytes"), 1 << 20) << row;
    EXPECT_LE(Number(row, "p50_ns"), Number(row, "p99.9_ns")) << row;
  }
  EXPECT_EQ(rows, runtimes == "native" ? 4 : 8);
  EXPECT_TRUE(Leftovers().empty());
  // One boot a runtime for all of its cells.
  for (const auto& row : json.at("benchmarks")) {
    EXPECT_LE(Number(row, "boot"), 2) << row;
  }
}

// Its workers are another user's, and read what this program made.
TEST_F(ApplicationsTest, ServesUnderAUmaskThatHidesFiles) {
  const mode_t before = umask(0077);
  Process program = Start(Arguments("native", "^nginx/http/"));
  umask(before);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const auto& row : ReadJson("r.json").at("benchmarks")) EXPECT_FALSE(Failed(row)) << row;
}

TEST_F(ApplicationsTest, AFixedRateIsKeptAndItsResultIsTheLatency) {
  auto arguments = Arguments("native", "^nginx/http_at_rate");
  arguments.emplace_back("--benchmark_min_time=200x");
  EXPECT_EQ(Run(arguments).exit_code, 0);
  const nlohmann::json row = ReadJson("r.json").at("benchmarks").at(0);
  EXPECT_LE(Number(row, "items_per_second"), 500.5) << row;
  EXPECT_GE(Number(row, "items_per_second"), 100) << row;
  // What a user notices is its result, and not the interval that was asked for.
  EXPECT_NEAR(Number(row, "real_time"), Number(row, "mean_ns"), 1) << row;
  EXPECT_GT(Number(row, "load_busy_percent"), 0) << row;
}

TEST_F(ApplicationsTest, TheTimeToTheFirstRequestIsThatOfTheBootAndMore) {
  EXPECT_EQ(Run(Arguments("native", "^startup/(mysql|nginx)")).exit_code, 0);
  const nlohmann::json json = ReadJson("r.json");
  ASSERT_EQ(json.at("benchmarks").size(), 2u);
  for (const auto& row : json.at("benchmarks")) {
    ASSERT_FALSE(Failed(row)) << row;
    EXPECT_GT(Number(row, "boot_ms"), 0) << row;
    EXPECT_GT(Number(row, "serve_ms"), 0) << row;
    EXPECT_NEAR(Number(row, "boot_ms") + Number(row, "serve_ms"), Number(row, "real_time") / 1e6, 1)
        << row;
  }
  EXPECT_TRUE(Leftovers().empty());
}

// Cells 1 and 3 are as if nothing had happened to the second.
TEST_F(ApplicationsTest, AKilledServerCostsItsCellAlone) {
  auto arguments = Arguments("native", "^nginx/http/");
  arguments.emplace_back("--benchmark_min_time=2000x");
  arguments.emplace_back("--benchmark_repetitions=3");
  Process program = Start(arguments);
  AwaitProgress("keepalive:0");
  bool killed = false;
  for (int i = 0; i < 2000 && !killed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (const pid_t pid : ServersOf(program.pid(), "nginx"))
      killed = kill(pid, SIGKILL) == 0 || killed;
  }
  ASSERT_TRUE(killed);
  EXPECT_EQ(Finish(std::move(program)).exit_code, 1);
  int failed = 0;
  const nlohmann::json json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    if (row.value("run_type", "") != "iteration" || !Failed(row)) continue;
    ++failed;
    EXPECT_NE(row.at("name").get<std::string>().find("keepalive:0"), std::string::npos) << row;
    EXPECT_NE(row.at("error_message").get<std::string>().find("nginx was killed by signal 9"),
              std::string::npos)
        << row;
  }
  EXPECT_GE(failed, 1);
  EXPECT_LE(failed, 3);
  EXPECT_TRUE(Leftovers().empty());
}

TEST_F(ApplicationsTest, MySqlServesFromEachRuntimeAndLeavesNothing) {
  const std::string runtimes = FindExecutable("runc") ? "native,runc" : "native";
  const ProgramResult result = Run(Arguments(runtimes, "^mysql/"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = ReadJson("r.json");
  EXPECT_EQ(json.at("benchmarks").size(), runtimes == "native" ? 7u : 14u);
  EXPECT_NE(json.at("context").dump().find("-server-core"), std::string::npos) << "which server?";
  for (const auto& row : json.at("benchmarks")) {
    ASSERT_FALSE(Failed(row)) << row;
    EXPECT_LE(Number(row, "boot"), 2) << row;
    EXPECT_GT(Number(row, "host_cpu_ns"), 1000) << row;
    EXPECT_GT(Number(row, "pss_bytes"), 1 << 20) << row;
    if (row.at("name").get<std::string>().starts_with("mysql/connect")) continue;
    EXPECT_EQ(Number(row, "lost_connections"), 0) << row;
    EXPECT_GE(Number(row, "queries_per_second"), Number(row, "items_per_second") * 0.99) << row;
  }
  EXPECT_TRUE(Leftovers().empty());
}

// The next cells start it again, on the same data.
TEST_F(ApplicationsTest, AKilledMySqlServerCostsItsCellAlone) {
  auto arguments = Arguments("native", "^mysql/oltp_(point_select|read_only|write_only)");
  arguments.emplace_back("--benchmark_min_time=4000x");
  Process program = Start(arguments);
  AwaitProgress("oltp_read_only");
  bool killed = false;
  for (int i = 0; i < 2000 && !killed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (const pid_t pid : ServersOf(program.pid(), Database())) killed = kill(pid, SIGKILL) == 0;
  }
  ASSERT_TRUE(killed);
  EXPECT_EQ(Finish(std::move(program)).exit_code, 1);
  int failed = 0;
  const nlohmann::json json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    if (!Failed(row)) continue;
    ++failed;
    const auto message = row.at("error_message").get<std::string>();
    EXPECT_NE(row.at("name").get<std::string>().find("oltp_read_only"), std::string::npos) << row;
    EXPECT_NE(message.find(Database() + " was killed by signal 9"), std::string::npos) << row;
    EXPECT_NE(message.find("ready for connections"), std::string::npos) << "no log: " << row;
  }
  EXPECT_EQ(failed, 1);
  EXPECT_TRUE(Leftovers().empty());
}

// A file system for the work directory that is small enough to be filled.
class SmallWorkDirTest : public ApplicationsTest {
 protected:
  void SetUp() override {
    ApplicationsTest::SetUp();
    if (IsSkipped()) return;
    fs::create_directories(work_dir_);
    ASSERT_EQ(mount("tmpfs", work_dir_.c_str(), "tmpfs", 0, "size=60m,mode=0700"), 0) << errno;
    is_mounted_ = true;
  }
  void TearDown() override {
    if (!is_mounted_) return;
    EXPECT_EQ(umount(work_dir_.c_str()), 0) << errno;
  }

 private:
  bool is_mounted_ = false;
};

// Room for what nginx serves, and not for the database's files.
TEST_F(SmallWorkDirTest, AFullDiskIsToldWithTheServersLogAndCostsItsCellsAlone) {
  const ProgramResult result = Run(Arguments("native", "^(nginx/http/|mysql/oltp_point_select)"));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const nlohmann::json json = ReadJson("r.json");
  int served = 0;
  int failed = 0;
  for (const auto& row : json.at("benchmarks")) {
    if (row.at("name").get<std::string>().starts_with("nginx/")) {
      EXPECT_FALSE(Failed(row)) << row;
      ++served;
      continue;
    }
    ++failed;
    ASSERT_TRUE(Failed(row)) << row;
    const auto message = row.at("error_message").get<std::string>();
    EXPECT_THAT(message, testing::ContainsRegex("with [0-9]+ MiB free on its disk"));
    EXPECT_THAT(message, testing::HasSubstr("[ERROR]")) << "not the server's own words";
  }
  EXPECT_GE(served, 1);
  EXPECT_GE(failed, 1);
  EXPECT_TRUE(Leftovers().empty());
}

// The server gets another password than the load's, once: by what it executes when it starts.
TEST_F(ApplicationsTest, AWrongPasswordIsToldWithTheServersLogAndCostsItsCellAlone) {
  auto arguments = Arguments("native", "^mysql/oltp_(point_select|read_only)");
  Process program = Start(arguments);
  const fs::path statements = AwaitGuestFile("root/srv/hvbench-mysql/init.sql");
  ASSERT_FALSE(statements.empty());
  std::string text;
  std::ifstream stream(statements);
  for (std::string line; std::getline(stream, line);) text += line + "\n";
  text = std::regex_replace(text, std::regex("IDENTIFIED BY '[^']*'"), "IDENTIFIED BY 'another'");
  ASSERT_NE(text.find("'another'"), std::string::npos) << text;
  std::ofstream(statements) << text;
  EXPECT_EQ(Finish(std::move(program)).exit_code, 1);
  const nlohmann::json json = ReadJson("r.json");
  int failed = 0;
  for (const auto& row : json.at("benchmarks")) {
    if (!Failed(row)) continue;
    ++failed;
    const auto message = row.at("error_message").get<std::string>();
    EXPECT_THAT(message, testing::HasSubstr("Access denied"));
    EXPECT_THAT(message, testing::HasSubstr("ready for connections")) << "no log";
  }
  EXPECT_EQ(failed, 1) << json;
  EXPECT_TRUE(Leftovers().empty());
}

}  // namespace
}  // namespace hvbench::test

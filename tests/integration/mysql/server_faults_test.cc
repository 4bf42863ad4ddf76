// What breaks a real server: each is one error that says why, and none loses what was acknowledged.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "benchmarks/kernels/support/mysql_account.h"
#include "benchmarks/load/mysql/oltp_session.h"
#include "tests/integration/mysql/real_server.h"

namespace hvbench::agent::kernels::mysql {
namespace {

using namespace std::chrono_literals;

constexpr TableShape kManyRows{.tables = 2, .rows = 1000};

// Commits until the server is gone.
void RunToTheEnd(OltpSession& session) {
  try {
    for (;;) session.RunTransaction();
  } catch (const MySqlError&) {
  }
}

TEST(MySqlServer, KeepsWhatItAcknowledgedWhenItIsKilled) {
  RealServer server;
  auto admin = std::make_unique<Connection>(ServerAccount());
  admin->Execute("SET GLOBAL innodb_flush_log_at_trx_commit=1");
  LoadTables(*admin, kManyRows, kSeed);
  std::uint64_t sum = OddSum(*admin, kManyRows);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<OltpSession>> sessions;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 8; ++i) {
      sessions.push_back(std::make_unique<OltpSession>(ServerAccount(), kManyRows, kWriteOnly, i));
      threads.emplace_back([session = sessions.back().get()] { RunToTheEnd(*session); });
    }
    std::this_thread::sleep_for(500ms);
    server.Kill();
    for (std::thread& thread : threads) thread.join();
    server.Start();
    admin = std::make_unique<Connection>(ServerAccount());
    OltpCounts counts;
    for (const auto& session : sessions) counts += session->counts();
    EXPECT_GT(counts.committed, 100u);
    EXPECT_NO_THROW(CheckTables(*admin, kManyRows, sum + counts.committed,
                                sum + counts.committed + counts.in_doubt));
    sum = OddSum(*admin, kManyRows);
  }
}

TEST(MySqlServer, AKilledServerIsOneClearErrorOnBothSides) {
  RealServer server;
  const auto load = PreparedKernel(
      "mysql/oltp_read_write",
      {{"tables", "1"}, {"rows", "100"}, {"connections", "4"}, {"durable", "1"}}, "");
  std::thread killer([&] {
    std::this_thread::sleep_for(300ms);
    server.Kill();
  });
  const std::string loads = Complaint([&] {
    for (;;) load->Run(100);
  });
  killer.join();
  EXPECT_NE(loads.find("connect to MySQL at 127.0.0.1:3306"), std::string::npos) << loads;
  const std::string servers = Complaint([&] { server.kernel().Run(1); });
  EXPECT_NE(servers.find("mariadbd was killed by signal 9"), std::string::npos) << servers;
  EXPECT_NE(servers.find("ready for connections"), std::string::npos) << servers;
}

TEST(MySqlServer, APortInUseIsSaidSo) {
  RealServer server;
  server.Stop();
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;  // connections to the servers of other tests may be in TIME_WAIT
  setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kMySqlPort);
  ASSERT_EQ(bind(other, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(other, 16), 0);
  const std::string complaint = Complaint([&] { server.Start(); });
  close(other);
  EXPECT_NE(complaint.find("mariadbd exited with 1"), std::string::npos) << complaint;
  EXPECT_NE(complaint.find("Address already in use"), std::string::npos) << complaint;
  EXPECT_NO_THROW(server.Start());
}

TEST(MySqlServer, DamagedDataAreSaidSo) {
  RealServer server;
  server.Stop();
  std::filesystem::resize_file(server.DataDirectory() / "ibdata1", 4096);
  const std::string complaint = Complaint([&] { server.Start(); });
  EXPECT_NE(complaint.find("mariadbd exited with 1"), std::string::npos) << complaint;
  EXPECT_NE(complaint.find("ibdata1"), std::string::npos) << complaint;
}

TEST(MySqlServer, AFullDiskIsSaidSo) {
  RealServer server;
  server.Stop();
  const std::string disk = server.root().path() / "srv";
  // Enough for the server, and not for the tables.
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=112m"), 0);
  server.Start();
  const std::string complaint = Complaint([] {
    PreparedKernel("mysql/oltp_read_only",
                   {{"tables", "4"}, {"rows", "50000"}, {"connections", "1"}, {"durable", "0"}},
                   "");
  });
  EXPECT_NE(complaint.find("is full"), std::string::npos) << complaint;
  server.Stop();
  umount2(disk.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace hvbench::agent::kernels::mysql

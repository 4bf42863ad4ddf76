// The OLTP load on a real server: it does what it says, and notices what is not as it must be.
#include <gtest/gtest.h>

#include <thread>

#include "benchmarks/load/mysql/oltp_session.h"
#include "benchmarks/load/mysql/oltp_tables.h"
#include "tests/integration/mysql/real_server.h"

namespace hvbench::agent::kernels::mysql {
namespace {

using namespace std::chrono_literals;

constexpr TableShape kShape{.tables = 2, .rows = 200};
const protocol::Params kCell = {
    {"tables", "2"}, {"rows", "200"}, {"connections", "3"}, {"durable", "0"}};

class OltpTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<RealServer>(); }
  static void TearDownTestSuite() { server.reset(); }

  OltpTest() {
    admin_->Execute("DROP DATABASE IF EXISTS hvbench");
    LoadTables(*admin_, kShape, kSeed);
    sum_ = OddSum(*admin_, kShape);
  }

  void Check(std::uint64_t transactions) {
    CheckTables(*admin_, kShape, sum_ + transactions, sum_ + transactions);
  }
  std::string FirstOf(const std::string& sql) { return admin_->QueryRow(sql).at(0); }

  static std::unique_ptr<RealServer> server;
  const std::unique_ptr<Connection> admin_ = std::make_unique<Connection>(ServerAccount());
  std::uint64_t sum_ = 0;  // when the tables were new
};

std::unique_ptr<RealServer> OltpTest::server;

// As MySQL cannot prepare BEGIN.
TEST_F(OltpTest, WhatTheServerCannotPrepareIsSentAsText) {
  Statement statement(*admin_, "PREPARE one FROM 'SELECT 1'", {});
  statement.Execute();
  EXPECT_EQ(FirstOf("EXECUTE one"), "1");
  EXPECT_THROW(Statement(*admin_, "BEGIN NOTHING", {}), MySqlError);
}

TEST_F(OltpTest, TablesAreLoadedOnce) {
  Check(0);
  admin_->Execute("UPDATE hvbench.sbtest1 SET k=k+1 WHERE id=1");
  LoadTables(*admin_, kShape, kSeed);
  Check(1);
  LoadTables(*admin_, kShape, kSeed + 1);
  EXPECT_NE(OddSum(*admin_, kShape), sum_);
  LoadTables(*admin_, {.tables = 1, .rows = 100}, kSeed);
  EXPECT_EQ(FirstOf("SELECT COUNT(*) FROM hvbench.sbtest1"), "100");
  EXPECT_THROW(admin_->QueryRow("SELECT 1 FROM hvbench.sbtest2"), MySqlError);
  LoadTables(*admin_, kShape, kSeed);
  Check(0);
}

TEST_F(OltpTest, TablesThatWereNotFilledAreLoadedAgain) {
  admin_->Execute("DROP TABLE hvbench.loaded");
  admin_->Execute("DELETE FROM hvbench.sbtest1");
  LoadTables(*admin_, kShape, kSeed);
  Check(0);
}

TEST_F(OltpTest, TheCheckFindsWhatNoTransactionDoes) {
  for (const char* damage :
       {"DELETE FROM hvbench.sbtest2 WHERE id=7", "UPDATE hvbench.sbtest1 SET k=k+1 WHERE id=8",
        "UPDATE hvbench.sbtest1 SET k=k-1 WHERE id=9",
        "UPDATE hvbench.sbtest2 SET id=1000 WHERE id=200",
        "UPDATE hvbench.sbtest2 SET pad='' WHERE id=8"}) {
    SCOPED_TRACE(damage);
    admin_->Execute("BEGIN");
    admin_->Execute(damage);
    EXPECT_THROW(Check(0), WrongResult);
    admin_->Execute("ROLLBACK");
    EXPECT_NO_THROW(Check(0));
  }
}

struct MixCase {
  const char* name;
  OltpMix mix;
  std::uint64_t queries;  // of a transaction
  std::uint64_t index_updates;
};

void PrintTo(const MixCase& mix, std::ostream* out) { *out << mix.name; }

class MixTest : public OltpTest, public testing::WithParamInterface<MixCase> {};

// By the server's own count.
TEST_P(MixTest, SendsTheStatementsOfItsKind) {
  constexpr std::uint64_t kTransactions = 40;
  OltpSession session(ServerAccount(), kShape, GetParam().mix, 1);
  const auto executed = [&] {
    return std::stoull(admin_->QueryRow("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'").at(1));
  };
  const std::uint64_t before = executed();
  for (std::uint64_t i = 0; i < kTransactions; ++i) session.RunTransaction();
  EXPECT_EQ(executed() - before, kTransactions * GetParam().queries);
  EXPECT_EQ(session.counts().queries, kTransactions * GetParam().queries);
  EXPECT_EQ(session.counts().committed, kTransactions);
  EXPECT_EQ(session.counts().wrong, 0u);
  Check(kTransactions * GetParam().index_updates);
}

INSTANTIATE_TEST_SUITE_P(All, MixTest,
                         testing::Values(MixCase{"point_select", kPointSelect, 1, 0},
                                         MixCase{"read_only", kReadOnly, 16, 0},
                                         MixCase{"write_only", kWriteOnly, 6, 1},
                                         MixCase{"read_write", kReadWrite, 20, 1}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(OltpTest, ReachesAllRows) {
  constexpr TableShape kSmall{.tables = 1, .rows = kRangeRows};
  LoadTables(*admin_, kSmall, kSeed);
  admin_->Execute("CREATE TEMPORARY TABLE hvbench.old AS SELECT * FROM hvbench.sbtest1");
  OltpSession session(ServerAccount(), kSmall, kWriteOnly, 1);
  for (int i = 0; i < 1000; ++i) session.RunTransaction();
  const std::string compared = "SELECT COUNT(*) FROM hvbench.old JOIN hvbench.sbtest1 USING (id) ";
  EXPECT_EQ(FirstOf(compared + "WHERE old.c = sbtest1.c"), "0");
  EXPECT_EQ(FirstOf(compared + "WHERE id % 2 = 1 AND old.k = sbtest1.k"), "0");
  EXPECT_EQ(FirstOf(compared + "WHERE id % 2 = 0 AND old.pad = sbtest1.pad"), "0");
}

TEST_F(OltpTest, AMissingRowIsAWrongResult) {
  OltpSession session(ServerAccount(), kShape, kReadOnly, 1);
  admin_->Execute("DELETE FROM hvbench.sbtest1 WHERE id BETWEEN 50 AND 150");
  for (int i = 0; i < 5; ++i) session.RunTransaction();
  EXPECT_GT(session.counts().wrong, 0u);
  EXPECT_EQ(session.counts().committed, 5u);
}

// Every second row of both tables, from that one on.
std::string ChangeOf(unsigned table, std::uint32_t first_row) {
  std::string rows = std::to_string(first_row);
  for (std::uint32_t row = first_row + 2; row <= kShape.rows; row += 2) {
    rows += "," + std::to_string(row);
  }
  // By the primary key and not by a scan, which would lock all rows.
  return "UPDATE " + TableName(table) + " FORCE INDEX (PRIMARY) SET c=REVERSE(c) WHERE id IN (" +
         rows + ")";
}

TEST_F(OltpTest, ALockThatTakesTooLongIsCountedAndTheTransactionRepeated) {
  admin_->Execute("SET GLOBAL innodb_lock_wait_timeout=1");
  OltpSession session(ServerAccount(), kShape, kWriteOnly, 1);
  admin_->Execute("BEGIN");
  for (const unsigned table : {1u, 2u}) admin_->Execute(ChangeOf(table, 2));
  std::thread client([&] { session.RunTransaction(); });
  std::this_thread::sleep_for(2s);
  admin_->Execute("ROLLBACK");
  client.join();
  admin_->Execute("SET GLOBAL innodb_lock_wait_timeout=50");
  EXPECT_GE(session.counts().conflicts, 1u);
  EXPECT_EQ(session.counts().committed, 1u);
  Check(1);
}

// The client has an odd row and waits for an even one; then the other way round. InnoDB ends the
// transaction that has changed less.
TEST_F(OltpTest, ADeadlockIsCountedAndTheTransactionRepeated) {
  OltpSession session(ServerAccount(), kShape, kWriteOnly, 1);
  Connection watcher(ServerAccount());
  admin_->Execute("BEGIN");
  for (const unsigned table : {1u, 2u}) admin_->Execute(ChangeOf(table, 2));
  std::thread client([&] { session.RunTransaction(); });
  const std::string waiting =
      "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state='LOCK WAIT'";
  while (watcher.QueryRow(waiting).at(0) == "0") std::this_thread::sleep_for(200ms);
  for (const unsigned table : {1u, 2u}) admin_->Execute(ChangeOf(table, 1));
  admin_->Execute("ROLLBACK");
  client.join();
  EXPECT_GE(session.counts().conflicts, 1u);
  EXPECT_EQ(session.counts().committed, 1u);
  Check(1);
}

TEST_F(OltpTest, ALostConnectionIsCountedAndMadeAgain) {
  OltpSession session(ServerAccount(), kShape, kReadWrite, 1);
  session.RunTransaction();
  admin_->Execute("KILL " + FirstOf("SELECT MAX(id) FROM information_schema.processlist"));
  session.RunTransaction();
  EXPECT_EQ(session.counts().lost, 1u);
  EXPECT_EQ(session.counts().in_doubt, 0u);
  EXPECT_EQ(session.counts().committed, 2u);
  Check(2);
}

TEST_F(OltpTest, TheKernelIsRightForAnyCount) {
  const std::unique_ptr<Kernel> kernel = PreparedKernel("mysql/oltp_read_write", kCell, "");
  for (const std::uint64_t iterations : {1u, 2u, 17u}) {
    kernel->Run(iterations);
    EXPECT_NO_THROW(kernel->Verify()) << iterations;
    EXPECT_THROW(kernel->Verify(), WrongResult);
  }
}

TEST_F(OltpTest, TheKernelNoticesAForeignChange) {
  const std::unique_ptr<Kernel> kernel = PreparedKernel("mysql/oltp_point_select", kCell, "");
  kernel->Run(5);
  admin_->Execute("UPDATE hvbench.sbtest1 SET k=k+1 WHERE id=1");
  EXPECT_THROW(kernel->Verify(), WrongResult);
}

TEST_F(OltpTest, TheKernelSetsTheDurability) {
  for (const auto& [durable, setting] : {std::pair{"1", "1"}, std::pair{"0", "2"}}) {
    protocol::Params cell = kCell;
    cell.back().second = durable;
    PreparedKernel("mysql/oltp_write_only", cell, "");
    EXPECT_EQ(FirstOf("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit"), setting);
  }
}

TEST_F(OltpTest, AWrongPasswordIsOneClearError) {
  const std::string complaint =
      Complaint([] { PreparedKernel("mysql/oltp_read_write", kCell, "", /*seed=*/kSeed + 1); });
  EXPECT_NE(complaint.find("Access denied for user 'hvbench'"), std::string::npos) << complaint;
  EXPECT_NE(complaint.find("127.0.0.1:3306"), std::string::npos) << complaint;
}

}  // namespace
}  // namespace hvbench::agent::kernels::mysql

// OLTP transactions of several clients, of the kind that sysbench's scripts define.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/latency_histogram.h"
#include "benchmarks/kernels/support/mysql_account.h"
#include "benchmarks/load/mysql/oltp_session.h"
#include "fixtures/agent/affinity.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

using mysql::OltpCounts;

// A session on a thread of its own, as sysbench has it.
class Client {
 public:
  Client(const mysql::Account& account, mysql::TableShape shape, mysql::OltpMix mix,
         std::uint64_t seed)
      : session_(account, shape, mix, seed) {}

  // Transactions until `left` has none.
  void Run(std::atomic<std::int64_t>& left) {
    latencies_.Reset();
    failure_.clear();
    try {
      std::uint64_t begin = clock_.NowNs();
      while (left.fetch_sub(1, std::memory_order_relaxed) > 0) {
        session_.RunTransaction();
        const std::uint64_t end = clock_.NowNs();
        latencies_.Record(end - begin);
        begin = end;
      }
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }

  const OltpCounts& counts() const { return session_.counts(); }
  const LatencyHistogram& latencies() const { return latencies_; }
  const std::string& failure() const { return failure_; }  // "" if the last batch had none

 private:
  const GuestClock clock_;
  mysql::OltpSession session_;
  LatencyHistogram latencies_;
  std::string failure_;
};

class Oltp : public Kernel {
 public:
  explicit Oltp(mysql::OltpMix mix) : mix_(mix) {}

  void Prepare(const Context& context) override {
    const mysql::Account account{context.Text(protocol::kServerParameter), kMySqlPort, kMySqlUser,
                                 MySqlPassword(context.seed())};
    shape_ = {.tables = static_cast<unsigned>(context.Number("tables")),
              .rows = static_cast<std::uint32_t>(context.Number("rows"))};
    admin_ = std::make_unique<mysql::Connection>(account);
    // 2: the log is written at each commit, and flushed once a second.
    admin_->Execute(std::string("SET GLOBAL innodb_flush_log_at_trx_commit=") +
                    (context.Number("durable") != 0 ? "1" : "2"));
    mysql::LoadTables(*admin_, shape_, context.seed());
    sum_at_first_ = mysql::OddSum(*admin_, shape_);
    const std::uint64_t connections = context.Number("connections");
    // Streams of their own: one that a table was filled from, or that another cell's clients had,
    // has the same texts for other rows, and a range would then have fewer distinct ones.
    const std::uint64_t cell =
        Mix((connections << 16) + (mix_.ranges << 8) + (mix_.index_updates << 4) +
            (context.Number("durable") << 1) + 1);
    for (std::uint64_t i = 0; i < connections; ++i) {
      clients_.push_back(
          std::make_unique<Client>(account, shape_, mix_, Mix(~context.seed() ^ cell) + Mix(i)));
    }
    crew_ = std::make_unique<Crew>(
        connections, [this](std::size_t member, std::uint64_t) { clients_[member]->Run(left_); });
    WarmUp();
  }

  void Run(std::uint64_t iterations) override {
    const OltpCounts before = Counts();
    left_ = static_cast<std::int64_t>(iterations);
    const std::uint64_t begin = clock_.NowNs();
    crew_->Release(iterations);
    crew_->Await();
    elapsed_ns_ = clock_.NowNs() - begin;
    for (const auto& client : clients_) {
      if (!client->failure().empty()) throw KernelFailed(client->failure() + SoFar());
    }
    last_ = Counts();
    last_ -= before;
    has_run_ = true;
  }

  void Verify() override {
    if (!std::exchange(has_run_, false)) throw WrongResult("no transaction was run");
    const OltpCounts counts = Counts();
    if (counts.wrong > 0) {
      throw WrongResult(std::to_string(counts.wrong) +
                        " statements returned or changed a wrong number of rows");
    }
    const std::uint64_t sum = sum_at_first_ + mix_.index_updates * counts.committed;
    mysql::CheckTables(*admin_, shape_, sum, sum + mix_.index_updates * counts.in_doubt);
  }

  // A batch keeps all connections busy for most of its time.
  std::uint64_t LeastIterations() const override { return 4 * clients_.size(); }

  std::vector<protocol::Counter> Counters() const override {
    LatencyHistogram latencies;
    for (const auto& client : clients_) latencies.Merge(client->latencies());
    std::vector<protocol::Counter> counters = latencies.Counters();
    counters.push_back({"queries_per_second", static_cast<double>(last_.queries) * 1e9 /
                                                  static_cast<double>(elapsed_ns_)});
    counters.push_back({"repeated_transactions", static_cast<double>(last_.conflicts)});
    counters.push_back({"lost_connections", static_cast<double>(last_.lost)});
    const std::size_t threads = std::min(clients_.size(), AllowedCpus().size());
    counters.push_back({protocol::kLoadThreadsCounter, static_cast<double>(threads)});
    return counters;
  }

 private:
  // The server's threads touch their sort buffers and caches with their first transactions: without
  // this, a first batch of 100 took up to twice the time of the third.
  void WarmUp() {
    constexpr std::uint64_t kLongestNs = 1'000'000'000;
    constexpr std::uint64_t kTransactions = 100;  // of each client
    const std::uint64_t begin = clock_.NowNs();
    const std::uint64_t batch = 4 * clients_.size();
    for (std::uint64_t done = 0; done < kTransactions * clients_.size(); done += batch) {
      if (clock_.NowNs() - begin > kLongestNs) break;
      Run(batch);
    }
    has_run_ = false;
  }

  // What all clients did since Prepare.
  OltpCounts Counts() const {
    OltpCounts counts;
    for (const auto& client : clients_) counts += client->counts();
    return counts;
  }

  // What a durable server must have, whatever happened to it.
  std::string SoFar() const {
    const OltpCounts counts = Counts();
    return "; since it was prepared, " + std::to_string(counts.committed) +
           " transactions were acknowledged and " + std::to_string(counts.in_doubt) +
           " cut off in their COMMIT";
  }

  const GuestClock clock_;
  const mysql::OltpMix mix_;
  mysql::TableShape shape_;
  std::unique_ptr<mysql::Connection> admin_;
  std::uint64_t sum_at_first_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::atomic<std::int64_t> left_ = 0;  // transactions of the batch that nobody has begun
  OltpCounts last_;                     // of the last batch
  std::uint64_t elapsed_ns_ = 1;
  bool has_run_ = false;
  std::unique_ptr<Crew> crew_;  // last: its threads use the others
};

class PointSelect : public Oltp {
 public:
  PointSelect() : Oltp(mysql::kPointSelect) {}
};

class ReadOnly : public Oltp {
 public:
  ReadOnly() : Oltp(mysql::kReadOnly) {}
};

class WriteOnly : public Oltp {
 public:
  WriteOnly() : Oltp(mysql::kWriteOnly) {}
};

class ReadWrite : public Oltp {
 public:
  ReadWrite() : Oltp(mysql::kReadWrite) {}
};

protocol::Params Cell(unsigned tables, unsigned rows, unsigned connections, bool durable) {
  return {{"tables", std::to_string(tables)},
          {"rows", std::to_string(rows)},
          {"connections", std::to_string(connections)},
          {"durable", durable ? "1" : "0"},
          {"buffer_pool_mib", "128"}};
}

// Tiny ones for smoke; for full each number of connections, and where the mix writes, the durable
// ones of them, those in `quick` for quick too.
std::vector<protocol::ParameterSet> Cells(bool writes, const std::vector<protocol::Params>& quick) {
  std::vector<protocol::ParameterSet> sets = {{kSmoke, Cell(2, 200, 2, false)}};
  if (writes) sets.push_back({kSmoke, Cell(2, 200, 2, true), 1, protocol::kRootStorage});
  for (const bool durable : {true, false}) {
    if (durable && !writes) continue;
    for (const unsigned connections : {1u, 8u, 32u, 64u}) {
      const protocol::Params cell = Cell(4, 25'000, connections, durable);
      const bool is_quick = std::find(quick.begin(), quick.end(), cell) != quick.end();
      // A commit that is not durable waits for no disk.
      sets.push_back({is_quick ? kReal : std::uint8_t{kFull}, cell, 1,
                      durable ? protocol::kRootStorage : protocol::kNoStorage});
    }
  }
  return sets;
}

HVBENCH_KERNEL(PointSelect, .name = "mysql/oltp_point_select",
               .summary = "Selects of one row by its primary key", .unit = "transaction",
               .parameter_sets = Cells(false, {Cell(4, 25'000, 8, false)}),
               .needs = protocol::kPeer, .server = "mysql/server");

HVBENCH_KERNEL(ReadOnly, .name = "mysql/oltp_read_only",
               .summary = "Transactions of 10 selects of a row and 4 of a range of 100",
               .unit = "transaction", .parameter_sets = Cells(false, {Cell(4, 25'000, 8, false)}),
               .needs = protocol::kPeer, .server = "mysql/server");

HVBENCH_KERNEL(WriteOnly, .name = "mysql/oltp_write_only",
               .summary = "Transactions of 2 updates, a deletion and an insertion",
               .unit = "transaction", .parameter_sets = Cells(true, {Cell(4, 25'000, 8, true)}),
               .needs = protocol::kPeer, .server = "mysql/server");

HVBENCH_KERNEL(ReadWrite, .name = "mysql/oltp_read_write",
               .summary = "Transactions of 14 selects, 2 updates, a deletion and an insertion",
               .unit = "transaction",
               .parameter_sets = Cells(true,
                                       {Cell(4, 25'000, 1, true), Cell(4, 25'000, 8, true),
                                        Cell(4, 25'000, 32, true), Cell(4, 25'000, 8, false)}),
               .needs = protocol::kPeer, .server = "mysql/server");

}  // namespace
}  // namespace hvbench::agent::kernels

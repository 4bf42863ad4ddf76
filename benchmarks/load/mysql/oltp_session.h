// One client of an OLTP workload: a connection, its prepared statements and its transactions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "benchmarks/kernels/support/random.h"
#include "benchmarks/load/mysql/oltp_tables.h"
#include "benchmarks/load/mysql/row_text.h"
#include "benchmarks/load/mysql/statement.h"

namespace hvbench::agent::kernels::mysql {

// How many statements of each kind a transaction has, in this order, as the sysbench scripts of the
// same names have them.
struct OltpMix {
  bool transaction = true;  // with BEGIN and COMMIT; otherwise each statement is its own
  unsigned point_selects = 0;
  unsigned ranges = 0;  // of each of plain, sum, ordered and distinct
  unsigned index_updates = 0;
  unsigned non_index_updates = 0;
  unsigned replacements = 0;  // a deletion and an insertion
};

inline constexpr OltpMix kPointSelect{.transaction = false, .point_selects = 1};
inline constexpr OltpMix kReadOnly{.point_selects = 10, .ranges = 1};
inline constexpr OltpMix kWriteOnly{.index_updates = 1, .non_index_updates = 1, .replacements = 1};
inline constexpr OltpMix kReadWrite{.point_selects = 10,
                                    .ranges = 1,
                                    .index_updates = 1,
                                    .non_index_updates = 1,
                                    .replacements = 1};

struct OltpCounts {
  std::uint64_t committed = 0;  // acknowledged by the server
  std::uint64_t queries = 0;  // statements, BEGIN and COMMIT among them; also of repeated attempts
  std::uint64_t conflicts = 0;  // deadlocks and lock timeouts, after which it was repeated
  std::uint64_t lost = 0;       // connections, which were made again
  std::uint64_t in_doubt = 0;   // of these, lost between a COMMIT and its answer
  std::uint64_t wrong = 0;      // statements with another number of rows than they must have

  OltpCounts& operator+=(const OltpCounts& other);
  OltpCounts& operator-=(const OltpCounts& other);
};

class OltpSession {
 public:
  OltpSession(const Account& account, TableShape shape, OltpMix mix, std::uint64_t seed);

  // One transaction, repeated until the server has committed it. Throws MySqlError for anything
  // but a conflict or a lost connection that can be made again.
  void RunTransaction();

  // Since the beginning.
  const OltpCounts& counts() const { return counts_; }

 private:
  static constexpr std::size_t kRangeKinds = 4;
  using Prepared = std::unique_ptr<Statement>;  // nothing where the mix has no such statement
  // The prepared statements for one table.
  struct Statements {
    Prepared point_select;
    std::array<Prepared, kRangeKinds> ranges;
    Prepared index_update;
    Prepared non_index_update;
    Prepared deletion;
    Prepared insertion;
  };

  void Connect();
  Statements PrepareFor(unsigned table);
  void Attempt();
  void Select();
  void Change();
  // `rows`: how many it must return or change.
  void Run(Statement& statement, std::uint64_t rows);
  Statements& AnyTable();
  std::int32_t AnyRow() { return static_cast<std::int32_t>(random_.Below(shape_.rows) + 1); }
  std::int32_t OddRow() {
    return static_cast<std::int32_t>(random_.Below(shape_.rows / 2) * 2 + 1);
  }
  void AimAtRange();

  Account account_;
  TableShape shape_;
  OltpMix mix_;
  Random random_;
  OltpCounts counts_;
  // The statements' parameters.
  std::int32_t id_ = 0;
  std::int32_t last_id_ = 0;
  std::int32_t k_ = 0;
  ColumnC c_{};
  ColumnPad pad_{};
  bool committing_ = false;      // the last statement was a COMMIT
  bool must_roll_back_ = false;  // a conflict may have left the transaction open
  std::unique_ptr<Connection> connection_;
  Prepared begin_;  // these three end before the connection
  Prepared commit_;
  std::vector<Statements> tables_;
};

}  // namespace hvbench::agent::kernels::mysql

// The tables that the OLTP transactions work on, and what these leave as it was.
//
// Each table is (id, k, c, pad) with an index on k, as sysbench has them: id runs from 1 to the
// number of rows. Two additions make the data checkable without one more statement:
//   - Rows with an odd id get the index updates (k = k + 1), rows with an even one are deleted and
//     inserted again. So the sum of k over the odd rows grows by exactly one with each committed
//     transaction that writes, in whatever order they are committed.
//   - An even row has its k in the first group of its pad as well: a row is written as a whole.
#pragma once

#include <cstdint>
#include <string>

#include "benchmarks/load/mysql/connection.h"

namespace hvbench::agent::kernels::mysql {

struct TableShape {
  unsigned tables = 0;
  std::uint32_t rows = 0;  // of each; even, and at least kRangeRows

  bool operator==(const TableShape&) const = default;
};

inline constexpr std::uint32_t kRangeRows = 100;

// The database of all tables.
inline constexpr char kDatabase[] = "hvbench";
std::string TableName(unsigned table);

// Makes and fills the tables, unless the server has them with that shape and seed already.
void LoadTables(Connection& connection, TableShape shape, std::uint64_t seed);

// The sum of k over all odd rows.
std::uint64_t OddSum(Connection& connection, TableShape shape);

// Throws WrongResult unless each table has its rows, whole, and the odd sum lies within the bounds.
void CheckTables(Connection& connection, TableShape shape, std::uint64_t least_sum,
                 std::uint64_t most_sum);

}  // namespace hvbench::agent::kernels::mysql

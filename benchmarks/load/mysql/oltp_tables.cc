#include "benchmarks/load/mysql/oltp_tables.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "benchmarks/load/mysql/row_text.h"

namespace hvbench::agent::kernels::mysql {
namespace {

// Made when all tables are full: what it says is there.
constexpr char kMarker[] = "loaded";
constexpr std::uint32_t kRowsPerInsert = 500;  // about 100 KiB

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::uint64_t ToNumber(const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end || text.empty()) {
    throw KernelFailed("the server returned '" + text + "' for a number");
  }
  return number;
}

std::string Description(TableShape shape, std::uint64_t seed) {
  return std::to_string(shape.tables) + " tables of " + std::to_string(shape.rows) +
         " rows, seed " + std::to_string(seed);
}

bool IsLoaded(Connection& connection, const std::string& description) {
  const std::vector<std::string> marker = connection.QueryRow(
      "SELECT table_comment FROM information_schema.tables WHERE table_schema=" +
      Quoted(kDatabase) + " AND table_name=" + Quoted(kMarker));
  return !marker.empty() && marker[0] == description;
}

void AppendRow(std::uint32_t id, std::uint32_t rows, Random& random, std::string& sql) {
  ColumnC c;
  ColumnPad pad;
  FillGroups(c, random);
  FillGroups(pad, random);
  const std::uint64_t k = random.Below(rows) + 1;
  if (id % 2 == 0) PutGroup(k, pad);
  sql += "(" + std::to_string(id) + "," + std::to_string(k) + "," + Quoted(View(c)) + "," +
         Quoted(View(pad)) + ")";
}

void FillTable(Connection& connection, unsigned table, std::uint32_t rows, Random random) {
  for (std::uint32_t first = 1; first <= rows; first += kRowsPerInsert) {
    const std::uint32_t end = std::min(first + kRowsPerInsert, rows + 1);
    std::string sql = "INSERT INTO " + TableName(table) + " (id, k, c, pad) VALUES ";
    for (std::uint32_t id = first; id < end; ++id) {
      if (id > first) sql += ",";
      AppendRow(id, rows, random, sql);
    }
    connection.Execute(sql);
  }
}

void LoadTable(Connection& connection, unsigned table, std::uint32_t rows, Random random) {
  connection.Execute("CREATE TABLE " + TableName(table) +
                     " (id INTEGER NOT NULL AUTO_INCREMENT, k INTEGER NOT NULL DEFAULT 0,"
                     " c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '',"
                     " PRIMARY KEY (id)) ENGINE=InnoDB");
  connection.Execute("START TRANSACTION");
  FillTable(connection, table, rows, random);
  connection.Execute("COMMIT");
  connection.Execute("CREATE INDEX k_" + std::to_string(table) + " ON " + TableName(table) +
                     " (k)");
}

}  // namespace

std::string TableName(unsigned table) {
  return std::string(kDatabase) + ".sbtest" + std::to_string(table);
}

void LoadTables(Connection& connection, TableShape shape, std::uint64_t seed) {
  if (shape.tables == 0 || shape.rows < kRangeRows || shape.rows % 2 != 0) {
    throw std::invalid_argument("the tables need an even number of rows, at least " +
                                std::to_string(kRangeRows));
  }
  const std::string description = Description(shape, seed);
  if (IsLoaded(connection, description)) return;
  connection.Execute(std::string("DROP DATABASE IF EXISTS ") + kDatabase);
  connection.Execute(std::string("CREATE DATABASE ") + kDatabase);
  for (unsigned table = 1; table <= shape.tables; ++table) {
    LoadTable(connection, table, shape.rows, Random(Mix(seed + table)));
  }
  connection.Execute(std::string("CREATE TABLE ") + kDatabase + "." + kMarker +
                     " (id INTEGER) COMMENT=" + Quoted(description));
}

std::uint64_t OddSum(Connection& connection, TableShape shape) {
  std::uint64_t sum = 0;
  for (unsigned table = 1; table <= shape.tables; ++table) {
    sum += ToNumber(
        connection.QueryRow("SELECT SUM(k) FROM " + TableName(table) + " WHERE id % 2 = 1").at(0));
  }
  return sum;
}

void CheckTables(Connection& connection, TableShape shape, std::uint64_t least_sum,
                 std::uint64_t most_sum) {
  for (unsigned table = 1; table <= shape.tables; ++table) {
    const std::vector<std::string> row = connection.QueryRow(
        "SELECT COUNT(*), MIN(id), MAX(id), COALESCE(SUM(id % 2 = 0 AND k <> LEFT(pad, " +
        std::to_string(kGroupDigits) + ")), 0) FROM " + TableName(table));
    const std::string rows = std::to_string(shape.rows);
    if (row.at(0) != rows || row.at(1) != "1" || row.at(2) != rows) {
      throw WrongResult(TableName(table) + " has " + row[0] + " rows from " + row[1] + " to " +
                        row[2] + ", not " + rows);
    }
    if (row.at(3) != "0") {
      throw WrongResult(row[3] + " rows of " + TableName(table) + " are not as they were written");
    }
  }
  const std::uint64_t sum = OddSum(connection, shape);
  if (sum < least_sum || sum > most_sum) {
    throw WrongResult("the sum of k is " + std::to_string(sum) + " after transactions that make " +
                      std::to_string(least_sum) +
                      (most_sum > least_sum ? " to " + std::to_string(most_sum) : ""));
  }
}

}  // namespace hvbench::agent::kernels::mysql

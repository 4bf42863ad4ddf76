#include "benchmarks/load/mysql/oltp_session.h"

#include <utility>

namespace hvbench::agent::kernels::mysql {
namespace {

using Parameters = std::initializer_list<Parameter>;

struct Range {
  const char* columns;
  const char* suffix;
  std::uint64_t rows;
};

constexpr Range kRanges[] = {{"c", "", kRangeRows},
                             {"SUM(k)", "", 1},
                             {"c", " ORDER BY c", kRangeRows},
                             {"DISTINCT c", " ORDER BY c", kRangeRows}};

constexpr std::uint64_t OltpCounts::*kCounts[] = {&OltpCounts::committed, &OltpCounts::queries,
                                                  &OltpCounts::conflicts, &OltpCounts::lost,
                                                  &OltpCounts::in_doubt,  &OltpCounts::wrong};

}  // namespace

OltpCounts& OltpCounts::operator+=(const OltpCounts& other) {
  for (const auto count : kCounts) this->*count += other.*count;
  return *this;
}

OltpCounts& OltpCounts::operator-=(const OltpCounts& other) {
  for (const auto count : kCounts) this->*count -= other.*count;
  return *this;
}

OltpSession::OltpSession(const Account& account, TableShape shape, OltpMix mix, std::uint64_t seed)
    : account_(account), shape_(shape), mix_(mix), random_(seed) {
  Connect();
}

void OltpSession::Connect() {
  tables_.clear();
  begin_.reset();
  commit_.reset();
  must_roll_back_ = false;
  connection_ = std::make_unique<Connection>(account_);
  if (mix_.transaction) {
    begin_ = std::make_unique<Statement>(*connection_, "BEGIN", Parameters{});
    commit_ = std::make_unique<Statement>(*connection_, "COMMIT", Parameters{});
  }
  for (unsigned table = 1; table <= shape_.tables; ++table) tables_.push_back(PrepareFor(table));
}

OltpSession::Statements OltpSession::PrepareFor(unsigned table) {
  const auto prepare = [this](const std::string& sql, Parameters parameters,
                              std::size_t row_bytes = 0) {
    return std::make_unique<Statement>(*connection_, sql, parameters, row_bytes);
  };
  const std::string name = TableName(table);
  const std::span<const char> c(c_);
  const std::span<const char> pad(pad_);
  Statements made;
  if (mix_.point_selects > 0) {
    made.point_select = prepare("SELECT c FROM " + name + " WHERE id=?", {&id_}, c.size());
  }
  if (mix_.ranges > 0) {
    for (std::size_t i = 0; i < kRangeKinds; ++i) {
      made.ranges[i] = prepare(std::string("SELECT ") + kRanges[i].columns + " FROM " + name +
                                   " WHERE id BETWEEN ? AND ?" + kRanges[i].suffix,
                               {&id_, &last_id_}, kRanges[i].rows > 1 ? c.size() : 0);
    }
  }
  if (mix_.index_updates > 0) {
    made.index_update = prepare("UPDATE " + name + " SET k=k+1 WHERE id=?", {&id_});
  }
  if (mix_.non_index_updates > 0) {
    made.non_index_update = prepare("UPDATE " + name + " SET c=? WHERE id=?", {c, &id_});
  }
  if (mix_.replacements > 0) {
    made.deletion = prepare("DELETE FROM " + name + " WHERE id=?", {&id_});
    made.insertion = prepare("INSERT INTO " + name + " (id, k, c, pad) VALUES (?, ?, ?, ?)",
                             {&id_, &k_, c, pad});
  }
  return made;
}

void OltpSession::RunTransaction() {
  for (;;) {
    try {
      Attempt();
      ++counts_.committed;
      return;
    } catch (const MySqlError& error) {
      if (error.IsConflict()) {
        ++counts_.conflicts;
        must_roll_back_ = true;
      } else if (error.IsLostConnection()) {
        ++counts_.lost;
        if (committing_) ++counts_.in_doubt;
        Connect();
      } else {
        throw;
      }
    }
  }
}

void OltpSession::Attempt() {
  committing_ = false;
  if (std::exchange(must_roll_back_, false)) connection_->Execute("ROLLBACK");
  if (mix_.transaction) Run(*begin_, 0);
  Select();
  Change();
  if (mix_.transaction) {
    committing_ = true;
    Run(*commit_, 0);
  }
}

void OltpSession::Select() {
  if (mix_.point_selects > 0) {
    Statements& table = AnyTable();
    for (unsigned i = 0; i < mix_.point_selects; ++i) {
      id_ = AnyRow();
      Run(*table.point_select, 1);
    }
  }
  for (std::size_t kind = 0; kind < kRangeKinds; ++kind) {
    for (unsigned i = 0; i < mix_.ranges; ++i) {
      AimAtRange();
      Run(*AnyTable().ranges[kind], kRanges[kind].rows);
    }
  }
}

void OltpSession::Change() {
  for (unsigned i = 0; i < mix_.index_updates; ++i) {
    id_ = OddRow();
    Run(*AnyTable().index_update, 1);
  }
  for (unsigned i = 0; i < mix_.non_index_updates; ++i) {
    id_ = AnyRow();
    FillGroups(c_, random_);
    Run(*AnyTable().non_index_update, 1);
  }
  for (unsigned i = 0; i < mix_.replacements; ++i) {
    id_ = OddRow() + 1;
    k_ = AnyRow();
    FillGroups(c_, random_);
    FillGroups(pad_, random_);
    PutGroup(static_cast<std::uint64_t>(k_), pad_);
    Statements& table = AnyTable();
    Run(*table.deletion, 1);
    Run(*table.insertion, 1);
  }
}

void OltpSession::Run(Statement& statement, std::uint64_t rows) {
  ++counts_.queries;
  if (statement.Execute() != rows) ++counts_.wrong;
}

OltpSession::Statements& OltpSession::AnyTable() { return tables_[random_.Below(tables_.size())]; }

// All rows of the range exist: it never reaches beyond the last.
void OltpSession::AimAtRange() {
  id_ = static_cast<std::int32_t>(random_.Below(shape_.rows - kRangeRows + 1) + 1);
  last_id_ = id_ + static_cast<std::int32_t>(kRangeRows) - 1;
}

}  // namespace hvbench::agent::kernels::mysql

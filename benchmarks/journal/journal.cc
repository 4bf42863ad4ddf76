#include "benchmarks/journal/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "benchmarks/results/result_writer.h"
#include "benchmarks/text/output.h"
#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

// A child that a killed program was just starting holds the lock until its own end or execve(2).
constexpr std::chrono::seconds kLockGrace{1};
constexpr std::chrono::milliseconds kLockPause{5};

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

OrderedJson JsonOfRows(const Journal::Rows& rows) {
  OrderedJson json = OrderedJson::array();
  for (const auto& row : rows) json.push_back(JsonOf(row));
  return json;
}

// Empty where a path in it is no UTF-8.
OrderedJson ContextOfGoogleBenchmark() {
  const OrderedJson results =
      OrderedJson::parse(FormatRows("json", {}), nullptr, /*allow_exceptions=*/false);
  return results.is_discarded() ? OrderedJson::object() : results.at("context");
}

std::string Quoted(const Identity& identity, const std::string& key) {
  const auto found = identity.find(key);
  return found == identity.end() ? "not there" : '"' + found->second + '"';
}

// Whether it was removed, by the program that had it before.
bool IsRemoved(const UniqueFd& fd) {
  struct stat status = {};
  return fstat(fd.get(), &status) == 0 && status.st_nlink == 0;
}

}  // namespace

std::vector<std::string> Differences(const Identity& then, const Identity& now) {
  Identity both = then;
  both.insert(now.begin(), now.end());
  std::vector<std::string> differences;
  for (const auto& [key, value] : both) {
    const std::string before = Quoted(then, key);
    const std::string after = Quoted(now, key);
    if (before != after) differences.push_back(key + " was " + before + " and is " + after);
  }
  return differences;
}

Journal::Journal(const std::filesystem::path& out, JournalUse use) : path_(out) {
  path_ += kJournalSuffix;
  try {
    Lock();
    Read(use);
  } catch (...) {
    fd_.Reset();  // what is there stays
    throw;
  }
}

Journal::~Journal() {
  if (fd_ && contents_.starts().empty()) Remove();
}

void Journal::Lock() {
  const Deadline grace = Deadline::In(kLockGrace);
  for (;;) {
    fd_ = UniqueFd(open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd_) throw OutputError("cannot write to " + path_.string() + ": " + strerror(errno));
    const bool locked = flock(fd_.get(), LOCK_EX | LOCK_NB) == 0;
    if (locked && !IsRemoved(fd_)) return;
    if (!locked && grace.Passed()) {
      throw Error("another run writes to " + path_.string() +
                  "; choose another file with --benchmark_out");
    }
    Pause(kLockPause, /*interruptible=*/false);
  }
}

void Journal::Read(JournalUse use) {
  std::string text;
  std::array<char, 64 * 1024> buffer{};
  for (;;) {
    const ssize_t count = read(fd_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error("cannot read " + path_.string() + ": " + strerror(errno));
    if (count == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  JournalFile file;
  try {
    file = ParseJournal(text);
  } catch (const Error& e) {
    throw Error(path_.string() + ": " + e.what() + "; remove it to start anew");
  }
  if (use == JournalUse::kStart && file.contents.HasResults()) {
    throw Error(path_.string() +
                " has the results of a run that did not finish: go on with it by "
                "--hvbench_resume, or remove it to start anew");
  }
  if (use == JournalUse::kResume) {
    contents_ = std::move(file.contents);
    size_ = file.valid_bytes;
  }
  // Also a torn end must not become the middle.
  if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
    throw OutputError("cannot write to " + path_.string() + ": " + strerror(errno));
  }
}

void Journal::Append(const OrderedJson& line, Sync sync) {
  contents_.Apply(line);
  if (!fd_ || !problem_.empty()) return;
  const std::string text = line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
  // At the end of the disk's space, or of the limit of file sizes, a write is a short one first.
  std::size_t done = 0;
  ssize_t written = 0;
  do {
    written = write(fd_.get(), text.data() + done, text.size() - done);
    if (written > 0) done += static_cast<std::size_t>(written);
  } while (done < text.size() && (written > 0 || (written < 0 && errno == EINTR)));
  const bool whole = done == text.size();
  if (whole && (sync == Sync::kWithNext || fdatasync(fd_.get()) == 0)) {
    size_ += text.size();
    return;
  }
  const int error = whole || written < 0 ? errno : ENOSPC;
  problem_ = "cannot write to " + path_.string() + ": " + strerror(error);
  // A torn line is tolerated, but need not stay.
  [[maybe_unused]] const int cut = ftruncate(fd_.get(), static_cast<off_t>(size_));
  RequestInterrupt();
}

void Journal::Begin(const Identity& identity) {
  if (!contents_.starts().empty()) {
    std::string text;
    for (const std::string& difference : Differences(contents_.identity(), identity)) {
      text += (text.empty() ? "" : "; ") + difference;
    }
    if (!text.empty()) {
      throw Error("cannot go on with " + path_.string() + ": " + text +
                  "; start it as it was, or remove it to start anew");
    }
  }
  Append({{"hvbench_journal", kJournalFormat},
          {"start", contents_.starts().size() + 1},
          {"date", Now()},
          {"first_boot", contents_.last_boot() + 1},
          {"identity", identity},
          {"context", ContextOfGoogleBenchmark()}});
  if (fd_) SyncFolder(path_.has_parent_path() ? path_.parent_path() : ".");
}

void Journal::AddFacts(const std::map<std::string, std::string>& facts) {
  OrderedJson changed = OrderedJson::object();
  for (const auto& [key, value] : facts) {
    const auto known = contents_.context().find(key);
    if (known == contents_.context().end() || known->second != value) changed[key] = value;
  }
  if (!changed.empty()) Append({{"facts", std::move(changed)}}, Sync::kWithNext);
}

void Journal::AddRepetition(const JournalContents::Row& row, bool last) {
  Append({{"repetition", JsonOf(row)}}, last ? Sync::kWithNext : Sync::kNow);
}

void Journal::AddBenchmark(const std::string& name, const Rows& rows, bool complete) {
  Append({{"benchmark", name}, {"complete", complete}, {"rows", JsonOfRows(rows)}});
}

void Journal::AddVisit(const std::string& name, const Rows& rows) {
  Append({{"visit", name}, {"rows", JsonOfRows(rows)}});
}

void Journal::EndBlock(int block, double elapsed_s) {
  Append({{"block", block}, {"elapsed_s", elapsed_s}});
}

void Journal::Remove() {
  if (fd_) unlink(path_.c_str());
  fd_.Reset();
}

}  // namespace hvbench

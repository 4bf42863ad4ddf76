#include "runtime_launchers/support/bounded_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

constexpr std::size_t kHalfBytes = kBoundedLogBytes / 2;
constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
// So many reads take all that a pipe holds by default, pipe(7).
constexpr int kReadsOfAPipe = 4;

}  // namespace

// Guarded by the drainer's mutex once that knows it.
struct BoundedLog::Content {
  UniqueFd reader;
  std::string head;
  std::string tail;          // a ring once it is full
  std::size_t tail_end = 0;  // behind the last byte, in the ring
  std::uint64_t total_bytes = 0;

  void Append(std::string_view bytes) {
    total_bytes += bytes.size();
    const std::size_t to_head = std::min(kHalfBytes - head.size(), bytes.size());
    head.append(bytes.substr(0, to_head));
    bytes.remove_prefix(to_head);
    while (!bytes.empty()) {
      if (tail_end == kHalfBytes) tail_end = 0;
      const std::size_t count = std::min(kHalfBytes - tail_end, bytes.size());
      if (tail.size() < tail_end + count) tail.resize(tail_end + count);
      tail.replace(tail_end, count, bytes.substr(0, count));
      tail_end += count;
      bytes.remove_prefix(count);
    }
  }

  // Between head and tail.
  std::uint64_t lost_bytes() const { return total_bytes - head.size() - tail.size(); }

  // The last bytes, of all that is still known without a gap.
  std::string End(std::size_t max_bytes) const {
    std::string text = lost_bytes() == 0 ? head : "";
    text += std::string_view(tail).substr(tail_end);
    text += std::string_view(tail).substr(0, tail_end);
    return text.substr(text.size() - std::min(text.size(), max_bytes));
  }

  enum class State { kMore, kEmpty, kEnded };
  State ReadOnce() {
    std::array<char, kReadBytes> buffer;
    const ssize_t count = read(reader.get(), buffer.data(), buffer.size());
    if (count < 0) return errno == EINTR || errno == EAGAIN ? State::kEmpty : State::kEnded;
    Append({buffer.data(), static_cast<std::size_t>(count)});
    return count > 0 ? State::kMore : State::kEnded;
  }
};

class BoundedLog::Drainer {
 public:
  // Never destroyed: its thread runs until the program's end.
  static Drainer& Instance() {
    static Drainer& drainer = *new Drainer;
    return drainer;
  }

  std::mutex& mutex() { return mutex_; }

  void Add(Content& content) {
    const std::lock_guard lock(mutex_);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = ++last_id_;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, content.reader.get(), &event) != 0) {
      throw SystemError("cannot watch a log", errno);
    }
    contents_[last_id_] = &content;
    // Where the launching threads run, which leave the guests' CPUs alone.
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
      pthread_setaffinity_np(thread_.native_handle(), sizeof cpus, &cpus);
    }
  }

  void Remove(const Content& content) {
    const std::lock_guard lock(mutex_);
    std::erase_if(contents_, [&](const auto& entry) { return entry.second == &content; });
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, content.reader.get(), nullptr);
  }

 private:
  Drainer() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw SystemError("cannot watch logs", errno);
    // Signals are for the main thread, whose waits they end.
    sigset_t all;
    sigset_t saved;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    try {
      thread_ = std::thread([this] { Drain(); });
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &saved, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &saved, nullptr);
  }

  void Drain() {
    std::array<epoll_event, 16> events{};
    for (;;) {
      const int count =
          epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const std::lock_guard lock(mutex_);
        const auto found = contents_.find(events[static_cast<std::size_t>(i)].data.u64);
        if (found == contents_.end()) continue;
        if (found->second->ReadOnce() != Content::State::kEnded) continue;
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->reader.get(), nullptr);
      }
    }
  }

  UniqueFd epoll_;
  std::mutex mutex_;
  std::map<std::uint64_t, Content*> contents_;  // guarded by mutex_
  std::uint64_t last_id_ = 0;                   // guarded by mutex_
  std::thread thread_;
};

BoundedLog::BoundedLog() {
  auto [reader, writer] = MakePipe();
  writer_ = std::move(writer);
  if (fcntl(reader.get(), F_SETFL, O_NONBLOCK) != 0) {
    throw SystemError("cannot make a log non-blocking", errno);
  }
  Open(std::move(reader));
}

BoundedLog::BoundedLog(const std::filesystem::path& fifo) {
  if (mkfifo(fifo.c_str(), 0600) != 0) throw SystemError("cannot make " + fifo.string(), errno);
  // For writing too, so that it never ends, whoever opens and closes it.
  UniqueFd reader(open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!reader) throw SystemError("cannot open " + fifo.string(), errno);
  Open(std::move(reader));
}

void BoundedLog::Open(UniqueFd reader) {
  content_ = std::make_unique<Content>();
  content_->reader = std::move(reader);
  Drainer::Instance().Add(*content_);
}

BoundedLog::~BoundedLog() {
  if (content_) Drainer::Instance().Remove(*content_);
}

std::uint64_t BoundedLog::total_bytes() const {
  const std::lock_guard lock(Drainer::Instance().mutex());
  return content_->total_bytes;
}

std::string BoundedLog::Tail(std::size_t max_bytes) const {
  const std::lock_guard lock(Drainer::Instance().mutex());
  for (int i = 0; i < kReadsOfAPipe && content_->ReadOnce() == Content::State::kMore; ++i) {
  }
  return LastLines(content_->End(max_bytes + 1), max_bytes);
}

std::string BoundedLog::Excerpt(std::size_t max_bytes) const {
  std::string end = Tail(max_bytes);
  const std::lock_guard lock(Drainer::Instance().mutex());
  const std::uint64_t lost_bytes = content_->lost_bytes();
  if (lost_bytes == 0) return end;
  constexpr std::size_t kNoteBytes = 64;
  const std::size_t head_bytes = max_bytes / 4;
  const std::string head = content_->head.substr(0, content_->head.rfind('\n', head_bytes));
  return Printable(head.substr(0, head_bytes)) + "\n[... " + std::to_string(lost_bytes >> 20) +
         " MiB were left out ...]\n" +
         LastLines(std::move(end), max_bytes - head_bytes - kNoteBytes);
}

}  // namespace hvbench

// What a guest, its runtime or its monitor prints: the beginning and the end of it, in memory. A
// file that they write themselves would let them fill the host's disk.
//
// One thread of this program drains all logs, at any time, so that a writer is not held back for
// longer than that takes; it sleeps while nobody prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// How much is kept of one log: half of it is the beginning, half the end.
inline constexpr std::size_t kBoundedLogBytes = std::size_t{1} << 20;

class BoundedLog {
 public:
  // Keeps what is written into a pipe, by whoever gets writer(). Throws SystemError.
  BoundedLog();
  // Keeps what is written by whoever opens that path, which becomes a FIFO and is not removed.
  // Throws SystemError.
  explicit BoundedLog(const std::filesystem::path& fifo);
  ~BoundedLog();
  BoundedLog(const BoundedLog&) = delete;
  BoundedLog& operator=(const BoundedLog&) = delete;

  // For SpawnOptions. To be closed once the writer has been started, since the log keeps it else.
  int writer() const { return writer_.get(); }
  void CloseWriter() { writer_.Reset(); }

  // All bytes that were written so far.
  std::uint64_t total_bytes() const;
  // The last whole lines within `max_bytes`, as TailOfFile gives them. With what was written before
  // the call, up to what the pipe holds.
  std::string Tail(std::size_t max_bytes = kLogTailBytes) const;
  // The same; of a log that lost its middle, a part of the beginning stands before the end.
  std::string Excerpt(std::size_t max_bytes = kLogTailBytes) const;

 private:
  struct Content;
  class Drainer;
  void Open(UniqueFd reader);

  UniqueFd writer_;
  std::unique_ptr<Content> content_;
};

}  // namespace hvbench

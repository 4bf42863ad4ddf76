#include "benchmarks/kernels/support/disk/job.h"

#include <cerrno>

namespace hvbench::agent::kernels {

Job::Job(const JobOptions& options, const Sectors& sectors)
    : options_(options),
      sectors_(sectors),
      buffers_(sectors, options.block_bytes, options.depth, options.mode.Writes()),
      slots_(options.depth) {
  for (unsigned slot = 0; slot < options.depth; ++slot) slots_[slot].operation.slot = slot;
  EngineOptions engine;
  engine.fd = options.fd;
  engine.block_bytes = options.block_bytes;
  engine.depth = options.depth;
  engine.buffers = buffers_.all();
  engine_ = MakeEngine(options.engine, engine);
}

AccessPattern Job::Accesses(std::uint64_t generation) const {
  return {options_.mode, options_.range, Mix(options_.seed + generation)};
}

void Job::Start(Slot& slot, Access access, std::uint64_t now_ns, std::uint64_t generation) {
  const std::uint64_t offset = access.block * options_.block_bytes;
  std::byte* const data = buffers_.Take(offset);
  if (access.is_write) sectors_.Stamp({data, options_.block_bytes}, offset, generation);
  slot.begin_ns = now_ns;
  slot.operation.is_write = access.is_write;
  slot.operation.offset = offset;
  slot.operation.data = data;
  engine_->Queue(slot.operation);
}

void Job::Finish(const Slot& slot, std::int64_t result, std::uint64_t now_ns) {
  latency_.Record(now_ns - slot.begin_ns);
  const IoOperation& operation = slot.operation;
  if (result < 0) {
    throw KernelFailed((operation.is_write ? "write at byte " : "read at byte ") +
                           std::to_string(operation.offset),
                       static_cast<int>(-result));
  }
  const bool right =
      static_cast<std::size_t>(result) == options_.block_bytes &&
      (operation.is_write ||
       sectors_.AreInPlace({operation.data, options_.block_bytes}, operation.offset));
  if (right) {
    ++right_;
  } else {
    wrong_offset_ = operation.offset;
  }
  buffers_.GiveBack(operation.data);
}

// The clock is read once between two waits: that is the end of what was waited for and the
// beginning of its successor.
void Job::Perform(std::uint64_t operations, std::uint64_t generation) {
  AccessPattern accesses = Accesses(generation);
  std::uint64_t now_ns = options_.clock.NowNs();
  std::uint64_t started = 0;
  for (Slot& slot : slots_) {
    if (started == operations) break;
    Start(slot, accesses.Next(), now_ns, generation);
    ++started;
  }
  for (std::uint64_t done = 0; done < operations; ++done) {
    const IoCompletion completion = engine_->Wait();
    now_ns = options_.clock.NowNs();
    Slot& slot = slots_[completion.slot];
    Finish(slot, completion.result, now_ns);
    if (started == operations) continue;
    Start(slot, accesses.Next(), now_ns, generation);
    ++started;
  }
}

void Job::Run(std::uint64_t operations, std::uint64_t generation) noexcept {
  if (failure_) return;  // what it had under way may still be
  latency_.Reset();
  operations_ = operations;
  right_ = 0;
  try {
    Perform(operations, generation);
  } catch (...) {
    failure_ = std::current_exception();
  }
}

}  // namespace hvbench::agent::kernels

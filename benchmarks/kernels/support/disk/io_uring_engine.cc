// io_uring by liburing.
#include <liburing.h>
#include <sys/uio.h>

#include <cerrno>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/disk/engine.h"

namespace hvbench::agent::kernels {
namespace {

class IoUringEngine : public Engine {
 public:
  IoUringEngine(const EngineOptions& options, bool registered)
      : options_(options), registered_(registered) {
    // Operations end when their submitter waits; it is not interrupted for it. Since Linux 5.19.
    int result = io_uring_queue_init(options.depth, &ring_, IORING_SETUP_COOP_TASKRUN);
    if (result == -EINVAL) result = io_uring_queue_init(options.depth, &ring_, 0);
    if (result < 0) ThrowUnavailable("io_uring_setup", -result);
    try {
      if (registered) Register();
    } catch (...) {
      io_uring_queue_exit(&ring_);
      throw;
    }
  }
  ~IoUringEngine() override {
    // Leaving the ring cancels what is under way, but does not wait for it.
    try {
      while (under_way_ > 0) Wait();
    } catch (const KernelFailed&) {
    }
    io_uring_queue_exit(&ring_);
  }

  void Queue(const IoOperation& operation) override {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);  // there: one for each slot
    const auto bytes = static_cast<unsigned>(options_.block_bytes);
    const int file = registered_ ? 0 : options_.fd;
    constexpr int kBuffers = 0;  // all of them are registered as one
    if (!registered_ && operation.is_write) {
      io_uring_prep_write(entry, file, operation.data, bytes, operation.offset);
    } else if (!registered_) {
      io_uring_prep_read(entry, file, operation.data, bytes, operation.offset);
    } else if (operation.is_write) {
      io_uring_prep_write_fixed(entry, file, operation.data, bytes, operation.offset, kBuffers);
    } else {
      io_uring_prep_read_fixed(entry, file, operation.data, bytes, operation.offset, kBuffers);
    }
    if (registered_) io_uring_sqe_set_flags(entry, IOSQE_FIXED_FILE);
    io_uring_sqe_set_data64(entry, operation.slot);
    ++under_way_;
    const int result = io_uring_submit(&ring_);
    // What was not taken now goes with the next submission.
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
      throw KernelFailed("io_uring_enter", -result);
    }
  }

  IoCompletion Wait() override {
    io_uring_cqe* entry = nullptr;
    while (io_uring_peek_cqe(&ring_, &entry) != 0) {
      const int result = io_uring_submit_and_wait(&ring_, 1);
      if (result < 0 && result != -EINTR && result != -EAGAIN) {
        throw KernelFailed("io_uring_enter", -result);
      }
    }
    const IoCompletion completion = {static_cast<unsigned>(io_uring_cqe_get_data64(entry)),
                                     entry->res};
    io_uring_cqe_seen(&ring_, entry);
    --under_way_;
    return completion;
  }

 private:
  void Register() {
    int result = io_uring_register_files(&ring_, &options_.fd, 1);
    if (result < 0) ThrowUnavailable("io_uring_register (file)", -result);
    const iovec buffers = {options_.buffers.data(), options_.buffers.size()};
    result = io_uring_register_buffers(&ring_, &buffers, 1);
    if (result < 0) ThrowUnavailable("io_uring_register (buffers)", -result);
  }

  EngineOptions options_;
  bool registered_;
  io_uring ring_{};
  unsigned under_way_ = 0;  // queued ones included
};

}  // namespace

std::unique_ptr<Engine> MakeIoUringEngine(const EngineOptions& options, bool registered) {
  return std::make_unique<IoUringEngine>(options, registered);
}

}  // namespace hvbench::agent::kernels

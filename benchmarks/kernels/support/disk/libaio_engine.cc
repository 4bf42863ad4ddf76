// Linux's asynchronous I/O by libaio.
#include <libaio.h>

#include <cerrno>
#include <vector>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/disk/engine.h"

namespace hvbench::agent::kernels {
namespace {

class LibaioEngine : public Engine {
 public:
  explicit LibaioEngine(const EngineOptions& options)
      : options_(options),
        operations_(options.depth),
        events_(options.depth),
        completions_(options.depth) {
    const int result = io_setup(static_cast<int>(options.depth), &context_);
    if (result < 0) ThrowUnavailable("io_setup", -result);
  }
  ~LibaioEngine() override { io_destroy(context_); }

  void Queue(const IoOperation& operation) override {
    iocb& control = operations_[operation.slot];
    const auto offset = static_cast<long long>(operation.offset);
    if (operation.is_write) {
      io_prep_pwrite(&control, options_.fd, operation.data, options_.block_bytes, offset);
    } else {
      io_prep_pread(&control, options_.fd, operation.data, options_.block_bytes, offset);
    }
    iocb* one = &control;
    int result = -EAGAIN;
    while (result == -EAGAIN || result == -EINTR) result = io_submit(context_, 1, &one);
    if (result < 0) throw KernelFailed("io_submit", -result);
  }

  std::span<const IoCompletion> Exchange() override {
    int count = -EINTR;
    while (count == -EINTR) {
      count = io_getevents(context_, 1, static_cast<long>(events_.size()), events_.data(), nullptr);
    }
    if (count < 0) throw KernelFailed("io_getevents", -count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      completions_[i] = {static_cast<unsigned>(events_[i].obj - operations_.data()),
                         static_cast<std::int64_t>(events_[i].res)};
    }
    return {completions_.data(), static_cast<std::size_t>(count)};
  }

 private:
  EngineOptions options_;
  io_context_t context_ = nullptr;
  std::vector<iocb> operations_;  // by slot
  std::vector<io_event> events_;
  std::vector<IoCompletion> completions_;
};

}  // namespace

std::unique_ptr<Engine> MakeLibaioEngine(const EngineOptions& options) {
  return std::make_unique<LibaioEngine>(options);
}

}  // namespace hvbench::agent::kernels

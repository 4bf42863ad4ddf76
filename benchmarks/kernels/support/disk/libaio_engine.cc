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
      : options_(options), operations_(options.depth) {
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

  IoCompletion Wait() override {
    io_event event{};
    int result = -EINTR;
    while (result == -EINTR) result = io_getevents(context_, 1, 1, &event, nullptr);
    if (result < 0) throw KernelFailed("io_getevents", -result);
    return {static_cast<unsigned>(event.obj - operations_.data()),
            static_cast<std::int64_t>(event.res)};
  }

 private:
  EngineOptions options_;
  io_context_t context_ = nullptr;
  std::vector<iocb> operations_;  // by slot
};

}  // namespace

std::unique_ptr<Engine> MakeLibaioEngine(const EngineOptions& options) {
  return std::make_unique<LibaioEngine>(options);
}

}  // namespace hvbench::agent::kernels

// pread and pwrite: the call itself is the wait.
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "benchmarks/kernels/support/disk/engine.h"

namespace hvbench::agent::kernels {
namespace {

class PsyncEngine : public Engine {
 public:
  explicit PsyncEngine(const EngineOptions& options) : options_(options) {
    if (options.depth != 1) throw std::invalid_argument("psync has depth 1 alone");
  }

  void Queue(const IoOperation& operation) override { operation_ = operation; }

  IoCompletion Wait() override {
    const auto offset = static_cast<off_t>(operation_.offset);
    ssize_t result = 0;
    do {
      result = operation_.is_write
                   ? pwrite(options_.fd, operation_.data, options_.block_bytes, offset)
                   : pread(options_.fd, operation_.data, options_.block_bytes, offset);
    } while (result < 0 && errno == EINTR);
    return {operation_.slot, result < 0 ? -errno : result};
  }

 private:
  EngineOptions options_;
  IoOperation operation_;
};

}  // namespace

std::unique_ptr<Engine> MakePsyncEngine(const EngineOptions& options) {
  return std::make_unique<PsyncEngine>(options);
}

}  // namespace hvbench::agent::kernels

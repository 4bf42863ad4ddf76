#include "benchmarks/kernels/support/disk/engine.h"

#include <stdexcept>

namespace hvbench::agent::kernels {

std::unique_ptr<Engine> MakeEngine(const std::string& name, const EngineOptions& options) {
  if (name == "psync") return MakePsyncEngine(options);
  if (name == "libaio") return MakeLibaioEngine(options);
  if (name == "io_uring") return MakeIoUringEngine(options, /*registered=*/false);
  if (name == "io_uring_fixed") return MakeIoUringEngine(options, /*registered=*/true);
  throw std::invalid_argument("there is no I/O engine " + name);
}

}  // namespace hvbench::agent::kernels

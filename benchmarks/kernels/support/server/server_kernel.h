// What the kernels that serve load from outside have in common: Run asks from within, for whoever
// asks whether the server still serves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/server/server_process.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {

class ServerKernel : public Kernel {
 public:
  void Verify() final {
    server_->RequireAlive();
    tally_.Verify("answers of the server");
  }

  // The server's CPU time since it was started, not of one iteration.
  std::vector<protocol::Counter> Counters() const final {
    return {{protocol::kServerCpuCounter, static_cast<double>(server_->CpuNs())}};
  }

  std::string Log() const final { return server_ ? server_->LogTail() : ""; }

 protected:
  std::unique_ptr<ServerProcess> server_;  // once prepared
  Tally tally_;                            // of the last Run
};

}  // namespace hvbench::agent::kernels

// What the kernels that wait for durable writes have in common.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "benchmarks/kernels/support/check.h"

namespace hvbench::agent::kernels {

// The parameter `call`.
class SyncCall {
 public:
  explicit SyncCall(const Context& context)
      : sync_(context.Text("call") == "fsync" ? &fsync : &fdatasync) {
    if (const std::string& call = context.Text("call"); call != "fsync" && call != "fdatasync") {
      throw std::invalid_argument("call is neither fsync nor fdatasync: " + call);
    }
  }

  void operator()(int fd) const {
    if (sync_(fd) != 0) throw KernelFailed("sync", errno);
  }

 private:
  int (*sync_)(int);
};

}  // namespace hvbench::agent::kernels

// MariaDB as the agent's kernel starts it, and the suite's load on it.
#pragma once

#include <memory>
#include <string>

#include "benchmarks/load/mysql/connection.h"
#include "fixtures/agent/kernel.h"
#include "tests/integration/mysql/private_root.h"

namespace hvbench::agent {

inline constexpr std::uint64_t kSeed = 20240229;
inline constexpr char kServerAddress[] = "127.0.0.1";

// As the load has it.
kernels::mysql::Account ServerAccount();

// A prepared kernel. What Prepare throws comes through.
std::unique_ptr<Kernel> PreparedKernel(const std::string& name, protocol::Params params,
                                       const std::string& root, std::uint64_t seed = kSeed);

class RealServer {
 public:
  RealServer() { Start(); }

  const PrivateRoot& root() const { return root_; }
  // The folder of the server's data, as it is seen from outside of the root.
  std::filesystem::path DataDirectory() const { return root_.path() / "srv/hvbench-mysql/data"; }
  Kernel& kernel() { return *kernel_; }
  // SIGKILL, as a crash.
  void Kill() const;
  void Stop() { kernel_.reset(); }
  // On the data that are there.
  void Start() { kernel_ = PreparedKernel("mysql/server", {}, root_.path()); }

 private:
  PrivateRoot root_;
  std::unique_ptr<Kernel> kernel_;
};

// What `body` throws says, or "" if it throws nothing.
template <typename Body>
std::string Complaint(Body body) {
  try {
    body();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace hvbench::agent

#include "tests/integration/mysql/real_server.h"

#include <signal.h>

#include <fstream>
#include <stdexcept>

#include "benchmarks/kernels/support/mysql_account.h"

namespace hvbench::agent {

kernels::mysql::Account ServerAccount() {
  return {kServerAddress, kernels::kMySqlPort, kernels::kMySqlUser, kernels::MySqlPassword(kSeed)};
}

std::unique_ptr<Kernel> PreparedKernel(const std::string& name, protocol::Params params,
                                       const std::string& root, std::uint64_t seed) {
  Surroundings surroundings;
  surroundings.application_root = root;
  params.emplace_back("server", kServerAddress);
  params.emplace_back("buffer_pool_mib", "32");
  for (const KernelSpec& spec : AllKernels()) {
    if (spec.name != name) continue;
    std::unique_ptr<Kernel> kernel = spec.make();
    kernel->Prepare(Context(std::move(params), "", seed, surroundings));
    return kernel;
  }
  throw std::logic_error("no kernel " + name);
}

void RealServer::Kill() const {
  std::ifstream file(DataDirectory() / "pid");
  pid_t pid = 0;
  file >> pid;
  if (pid <= 1 || kill(pid, SIGKILL) != 0) throw std::runtime_error("cannot kill the server");
}

}  // namespace hvbench::agent

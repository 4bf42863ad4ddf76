// What the application subsystems have in common: a real server in the guest, and load from outside
// of it, which is what is timed.
#pragma once

#include <string>

#include "fixtures/runtime_fixture.h"

namespace hvbench {

// What starts that server, for load with those parameters.
protocol::PrepareRequest ServerRequest(const protocol::KernelDescription& server,
                                       const protocol::Params& load, const RunSettings& settings);

// Adds where the server is to what prepares load on it.
void AddServer(protocol::PrepareRequest& load, const LiveGuest& guest);

class ApplicationFixture : public RuntimeFixture {
 public:
  // The cell's kernel is one of RunSettings::kernels that has a server, which is one of them too.
  // Cells that agree in the server's parameters share a running server.
  using RuntimeFixture::RuntimeFixture;

 protected:
  void Begin() override;
  RunResult Measure(std::uint64_t iterations) override;
  // The server's own story, if the load was lost on it.
  std::string AfterFailure() override;

 private:
  // The server's CPU time so far, in ns, by the guest. Throws with the server's log if it is gone.
  double AskServer(LiveGuest& guest);

  bool serving_ = false;  // the leased guest's server was prepared, and has not told of an end
};

}  // namespace hvbench

// What the application subsystems have in common: a real server in the guest, and load from outside
// of it, which is what is timed.
#pragma once

#include <string>
#include <vector>

#include "fixtures/runtime_fixture.h"

namespace hvbench {

class ApplicationFixture : public RuntimeFixture {
 public:
  // The server is the guest's kernel "<subsystem>/server". It gets those of the cell's parameters
  // that are in `server_keys`, and `workers`, the number of vCPUs; cells that agree in them share a
  // running server.
  ApplicationFixture(CellName cell, const RunSettings& settings,
                     std::vector<std::string> server_keys);

 protected:
  void Begin() override;
  RunResult Measure(std::uint64_t iterations) override;
  // The server's own story, if the load was lost on it.
  std::string AfterFailure() override;

 private:
  protocol::PrepareRequest ServerRequest() const;
  protocol::PrepareRequest LoadRequest(const LiveGuest& guest) const;
  // The server's CPU time so far, in ns, by the guest. Throws with the server's log if it is gone.
  double AskServer(LiveGuest& guest);

  std::vector<std::string> server_keys_;
  bool serving_ = false;  // the leased guest's server was prepared, and has not told of an end
};

}  // namespace hvbench

// mysql: OLTP transactions, from a server in the guest to a load generator outside of it.
#include <utility>

#include "benchmarks/subsystems/application_fixture.h"
#include "benchmarks/subsystems/subsystem.h"

namespace hvbench {

std::unique_ptr<RuntimeFixture> MakeMySqlFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<ApplicationFixture>(std::move(cell), settings,
                                              std::vector<std::string>{"buffer_pool_mib"});
}

}  // namespace hvbench

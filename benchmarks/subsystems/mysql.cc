// mysql: OLTP transactions, from a server in the guest to a load generator outside of it.
#include <algorithm>
#include <utility>

#include "benchmarks/subsystems/application_fixture.h"
#include "benchmarks/subsystems/subsystem.h"
#include "fixtures/host_disk.h"

namespace hvbench {
namespace {

class MySqlFixture : public ApplicationFixture {
 public:
  MySqlFixture(CellName cell, const RunSettings& settings)
      : ApplicationFixture(std::move(cell), settings) {}

 protected:
  void Begin() override {
    ApplicationFixture::Begin();
    // What waits for a disk measures none in memory. Docker's guests have theirs elsewhere.
    const std::pair<std::string, std::string> durable = {"durable", "1"};
    const auto& params = cell().params;
    if (std::find(params.begin(), params.end(), durable) != params.end() &&
        !guest()->guest().Facts().contains("storage_driver")) {
      RequireDiskUnder(guest()->dir());
    }
  }
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeMySqlFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<MySqlFixture>(std::move(cell), settings);
}

}  // namespace hvbench

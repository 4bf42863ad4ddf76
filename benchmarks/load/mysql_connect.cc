// What a client without a pool of connections pays: log in, one query, close.
#include <memory>

#include "benchmarks/kernels/support/latency_histogram.h"
#include "benchmarks/kernels/support/mysql_account.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/load/mysql/connection.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class Connect : public Kernel {
 public:
  void Prepare(const Context& context) override {
    account_ = {context.Text(protocol::kServerParameter), kMySqlPort, kMySqlUser,
                MySqlPassword(context.seed())};
    mysql::Connection(account_).Execute("DO 1");
  }

  void Run(std::uint64_t iterations) override {
    latencies_.Reset();
    std::uint64_t begin = clock_.NowNs();
    tally_.Run(iterations, [&] {
      const std::string number = std::to_string(++last_);
      const std::string answer = mysql::Connection(account_).QueryRow("SELECT " + number).at(0);
      const std::uint64_t end = clock_.NowNs();
      latencies_.Record(end - begin);
      begin = end;
      return answer == number;
    });
  }

  void Verify() override { tally_.Verify("answers of the server"); }

  std::vector<protocol::Counter> Counters() const override { return latencies_.Counters(); }

 private:
  const GuestClock clock_;
  mysql::Account account_;
  std::uint64_t last_ = 0;  // the number that was asked for
  LatencyHistogram latencies_;
  Tally tally_;
};

HVBENCH_KERNEL(Connect, .name = "mysql/connect", .summary = "A login, one query, the end",
               .unit = "connection",
               .parameter_sets = {{kSmoke | kReal | kFirstResponse, {{"buffer_pool_mib", "128"}}}},
               .needs = protocol::kPeer, .server = "mysql/server");

}  // namespace
}  // namespace hvbench::agent::kernels

// HTTP load on a web server: as much as its connections bear, or at a fixed rate.
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/server/web_content.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/load/support/http_load.h"
#include "fixtures/agent/affinity.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

using protocol::ParameterSet;

// A connection is a file.
void AllowFiles(std::uint64_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < count) {
    throw Unsupported("the load generator may open only " + std::to_string(limit.rlim_cur) +
                      " files");
  }
}

std::uint64_t UsableCpus() { return std::max<std::uint64_t>(AllowedCpus().size(), 1); }

class HttpKernel : public Kernel {
 public:
  void Prepare(const Context& context) override {
    constexpr std::uint64_t kOtherFiles = 64;
    const std::uint64_t file_kib = context.Number("file_kib");
    connections_ = std::max<std::uint64_t>(context.Number("concurrency"), 1);
    target_.tls = context.Number("tls") != 0;
    target_.keep_alive = context.Number("keepalive") != 0;
    target_.path = WebPath(file_kib);
    target_.content = WebContent(context.seed(), file_kib);
    target_.server = {boost::asio::ip::make_address(context.Text(protocol::kServerParameter)),
                      target_.tls ? kWebTlsPort : kWebPort};
    interval_ns_ = IntervalNs(context);
    AllowFiles(connections_ + kOtherFiles);
    const std::uint64_t threads = std::min(UsableCpus(), connections_);
    for (std::uint64_t i = 0; i < threads; ++i) {
      loads_.push_back(HttpLoad::Make(target_, ShareOf(connections_, i, threads)));
    }
    failures_.resize(threads);
    crew_.emplace(threads, [this](std::size_t member, std::uint64_t requests) {
      RunShare(member, ShareOf(requests, member, loads_.size()));
    });
    RunAll(connections_, 0);  // makes all connections
  }

  void Run(std::uint64_t iterations) override { RunAll(iterations, interval_ns_); }

  void Verify() override { tally_.Verify("responses"); }

  // A batch keeps all connections busy for most of its time.
  std::uint64_t LeastIterations() const override { return 4 * connections_; }

  Work WorkPerIteration() const override { return {.items = 1, .bytes = target_.content.size()}; }

  std::vector<protocol::Counter> Counters() const override {
    std::vector<protocol::Counter> counters = total_.latencies.Counters();
    counters.push_back({"mean_ns", total_.latencies.MeanNs()});
    counters.push_back({"lost_connections", static_cast<double>(total_.lost_connections)});
    counters.push_back({"wrong_responses", static_cast<double>(total_.wrong)});
    counters.push_back({protocol::kLoadThreadsCounter, static_cast<double>(loads_.size())});
    return counters;
  }

 protected:
  // Between requests, 0 for as soon as a connection is free.
  virtual std::uint64_t IntervalNs(const Context&) const { return 0; }

 private:
  static std::uint64_t ShareOf(std::uint64_t total, std::uint64_t member, std::uint64_t members) {
    return total / members + (member < total % members ? 1 : 0);
  }

  void RunShare(std::size_t member, std::uint64_t requests) noexcept {
    try {
      loads_[member]->Run(requests, interval_of_batch_ns_ * loads_.size());
    } catch (...) {
      failures_[member] = std::current_exception();
    }
  }

  void RunAll(std::uint64_t requests, std::uint64_t interval_ns) {
    interval_of_batch_ns_ = interval_ns;
    crew_->Release(requests);
    crew_->Await();
    for (const std::exception_ptr& failure : failures_) {
      if (failure) std::rethrow_exception(failure);
    }
    total_ = {};
    for (const auto& load : loads_) {
      total_.latencies.Merge(load->outcome().latencies);
      total_.right += load->outcome().right;
      total_.wrong += load->outcome().wrong;
      total_.lost_connections += load->outcome().lost_connections;
    }
    tally_.Record(requests, total_.right);
  }

  HttpTarget target_;
  std::uint64_t connections_ = 1;
  std::uint64_t interval_ns_ = 0;
  std::uint64_t interval_of_batch_ns_ = 0;
  std::vector<std::unique_ptr<HttpLoad>> loads_;  // one a thread
  std::vector<std::exception_ptr> failures_;      // of the same threads
  HttpOutcome total_;
  Tally tally_;
  std::optional<Crew> crew_;
};

class HttpAtRate : public HttpKernel {
 protected:
  std::uint64_t IntervalNs(const Context& context) const override {
    const std::uint64_t rate = context.Number("rate");
    if (rate == 0) throw std::invalid_argument("the rate is 0");
    return 1'000'000'000u / rate;
  }
};

protocol::Params HttpCell(std::uint64_t file_kib, bool keep_alive, std::uint64_t concurrency,
                          bool tls = false, bool access_log = false) {
  return {{"file_kib", std::to_string(file_kib)},
          {"keepalive", keep_alive ? "1" : "0"},
          {"concurrency", std::to_string(concurrency)},
          {"tls", tls ? "1" : "0"},
          {"access_log", access_log ? "1" : "0"}};
}

std::vector<ParameterSet> HttpParameterSets() {
  std::vector<ParameterSet> sets = {{kSmoke, HttpCell(1, true, 2)},
                                    {kSmoke, HttpCell(1, false, 2)},
                                    {kSmoke, HttpCell(1, true, 2, /*tls=*/true)}};
  for (const std::uint64_t file_kib : {1u, 100u, 1024u}) {
    for (const bool keep_alive : {true, false}) {
      for (const std::uint64_t concurrency : {1u, 25u, 100u, 1000u}) {
        const bool quick =
            keep_alive ? file_kib == 1 || concurrency == 25 : file_kib == 1 && concurrency == 25;
        sets.push_back({quick ? kReal : static_cast<std::uint8_t>(kFull),
                        HttpCell(file_kib, keep_alive, concurrency)});
      }
      sets.push_back({file_kib == 1 && keep_alive ? kReal : static_cast<std::uint8_t>(kFull),
                      HttpCell(file_kib, keep_alive, 25, /*tls=*/true)});
    }
  }
  sets.push_back({kFull, HttpCell(1, true, 25, /*tls=*/false, /*access_log=*/true)});
  sets.push_back({kFirstResponse, HttpCell(1, true, 1)});
  return sets;
}

std::vector<ParameterSet> RateParameterSets() {
  std::vector<ParameterSet> sets;
  for (const auto& [profiles, rate] : {std::pair<std::uint8_t, const char*>{kSmoke | kReal, "500"},
                                       {kFull, "2000"},
                                       {kFull, "8000"}}) {
    sets.push_back({profiles, HttpCell(1, true, 25)});
    sets.back().params.emplace_back("rate", rate);
  }
  return sets;
}

HVBENCH_KERNEL(HttpKernel, .name = "nginx/http",
               .summary =
                   "Requests for a static file, each connection's as soon as its last one is "
                   "answered",
               .unit = "request", .parameter_sets = HttpParameterSets(), .needs = protocol::kPeer,
               .server = "nginx/server");

HVBENCH_KERNEL(
    HttpAtRate, .name = "nginx/http_at_rate",
    .summary = "Requests for a static file at a fixed rate, timed from when they are due",
    .unit = "request", .parameter_sets = RateParameterSets(), .needs = protocol::kPeer,
    .server = "nginx/server");

}  // namespace
}  // namespace hvbench::agent::kernels

// HTTP load of one thread: a number of connections to one server, each with at most one request
// under way, on an event loop of its own.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "benchmarks/kernels/support/latency_histogram.h"

namespace hvbench::agent::kernels {

struct HttpTarget {
  boost::asio::ip::tcp::endpoint server;
  bool tls = false;
  bool keep_alive = true;  // else each request has a connection of its own
  std::string path;
  std::string content;  // of the file there
};

// What one batch of requests came to.
struct HttpOutcome {
  LatencyHistogram latencies;
  std::uint64_t right = 0;  // responses
  std::uint64_t wrong = 0;
  std::uint64_t lost_connections = 0;  // ended by the other side, or never made
};

class HttpLoad {
 public:
  // `target` outlives it.
  static std::unique_ptr<HttpLoad> Make(const HttpTarget& target, std::uint64_t connections);
  HttpLoad() = default;
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;
  virtual ~HttpLoad() = default;

  // Sends that many requests and returns when all have their response.
  //
  // Closed loop (`interval_ns` 0): a connection's next request follows the response to its last
  // one, and latency counts from there. Open loop: a request is due each interval, whatever
  // happened to the others, goes to the connection that has waited longest, and waits where all are
  // busy; latency counts from when it was due. So a server that stalls is charged for all the
  // requests that it kept waiting, and not for one a connection ("coordinated omission": G. Tene,
  // "How NOT to Measure Latency", 2013).
  //
  // A request whose connection is lost is sent again on a new one. Throws KernelFailed if that
  // fails several times in a row, or nothing at all comes for long.
  virtual void Run(std::uint64_t requests, std::uint64_t interval_ns) = 0;

  // What the last Run came to.
  const HttpOutcome& outcome() const { return outcome_; }

 protected:
  HttpOutcome outcome_;
};

}  // namespace hvbench::agent::kernels

#include "benchmarks/load/support/http_load.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/circular_buffer.hpp>
#include <optional>
#include <type_traits>
#include <vector>

#include "benchmarks/load/support/response_reader.h"
#include "fixtures/agent/clock.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

// The executor's own type, and not the one that hides any: it saves a virtual call an operation.
using Executor = asio::io_context::executor_type;
using PlainStream = asio::basic_stream_socket<tcp, Executor>;
using TlsStream = asio::ssl::stream<PlainStream>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

// How often a request is sent again before the server counts as gone.
constexpr int kMostAttempts = 3;
constexpr auto kWatchPeriod = 1s;
constexpr int kMostIdlePeriods = 15;

std::string RequestText(const HttpTarget& target) {
  return "GET " + target.path + " HTTP/1.1\r\nHost: " + target.server.address().to_string() +
         "\r\n" + (target.keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

template <typename Stream>
class Load;

// One connection. Its load tells it when to send; it tells its load when the response is complete.
template <typename Stream>
class Connection {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  explicit Connection(Load<Stream>& load) : load_(load), reader_(load.target().content) {}

  void Start(std::uint64_t due_ns) {
    due_ns_ = due_ns;
    attempts_ = 0;
    Attempt();
  }

 private:
  PlainStream& socket() {
    if constexpr (kTls) {
      return stream_->next_layer();
    } else {
      return *stream_;
    }
  }

  void Attempt() {
    ++attempts_;
    if (stream_) {
      Send();
    } else {
      Connect();
    }
  }

  void Connect() {
    if constexpr (kTls) {
      stream_.emplace(load_.context(), load_.tls());
    } else {
      stream_.emplace(load_.context());
    }
    socket().async_connect(load_.target().server, [this](error_code error) {
      if (error) return Lost(error);
      socket().set_option(tcp::no_delay(true), error);
      if constexpr (kTls) {
        stream_->async_handshake(asio::ssl::stream_base::client, [this](error_code failed) {
          if (failed) return Lost(failed);
          Send();
        });
      } else {
        Send();
      }
    });
  }

  void Send() {
    reader_.Begin();
    asio::async_write(*stream_, asio::buffer(load_.request()),
                      [this](error_code error, std::size_t) {
                        if (error) return Lost(error);
                        Receive();
                      });
  }

  void Receive() {
    stream_->async_read_some(reader_.space(), [this](error_code error, std::size_t count) {
      if (error) return Lost(error);
      load_.NoteProgress();
      const ResponseReader::State state = reader_.Received(count);
      if (state == ResponseReader::State::kNeedsMore) return Receive();
      load_.Record(state == ResponseReader::State::kRight, due_ns_);
      if (state == ResponseReader::State::kMalformed) stream_.reset();
      if (load_.target().keep_alive || !stream_) return load_.Free(*this);
      AwaitEnd();
    });
  }

  // The server closes first, and keeps what TCP remembers of the connection: here it would use up
  // the ports. Whatever is read instead of an end, the connection is done with.
  void AwaitEnd() {
    reader_.Begin();
    stream_->async_read_some(reader_.space(), [this](error_code, std::size_t) {
      stream_.reset();
      load_.Free(*this);
    });
  }

  void Lost(error_code error) {
    stream_.reset();
    if (load_.NoteLoss(error, attempts_ < kMostAttempts)) Attempt();
  }

  Load<Stream>& load_;
  ResponseReader reader_;
  std::optional<Stream> stream_;  // nothing: not connected
  std::uint64_t due_ns_ = 0;      // of the request under way
  int attempts_ = 0;              // to send it
};

template <typename Stream>
class Load : public HttpLoad {
 public:
  Load(const HttpTarget& target, std::uint64_t connections)
      : target_(target), request_(RequestText(target)), idle_(connections) {
    connections_.reserve(connections);
    for (std::uint64_t i = 0; i < connections; ++i) {
      connections_.push_back(std::make_unique<Connection<Stream>>(*this));
      idle_.push_back(connections_.back().get());
    }
  }

  void Run(std::uint64_t requests, std::uint64_t interval_ns) override {
    outcome_ = {};
    left_ = requests;
    interval_ns_ = interval_ns;
    const std::uint64_t begin_ns = clock_.NowNs();
    next_due_ns_ = begin_ns + interval_ns;  // so that the batch lasts all of its intervals
    under_way_ = 0;
    context_.restart();
    Watch();
    Dispatch(begin_ns);
    context_.run();
    if (!failure_.empty()) throw KernelFailed(failure_);
  }

  const HttpTarget& target() const { return target_; }
  const std::string& request() const { return request_; }
  asio::io_context& context() { return context_; }
  asio::ssl::context& tls() { return tls_; }

  void NoteProgress() { idle_periods_ = 0; }

  void Record(bool right, std::uint64_t due_ns) {
    now_ns_ = clock_.NowNs();
    outcome_.latencies.Record(now_ns_ > due_ns ? now_ns_ - due_ns : 0);
    ++(right ? outcome_.right : outcome_.wrong);
  }

  void Free(Connection<Stream>& connection) {
    idle_.push_back(&connection);
    --under_way_;
    Dispatch(now_ns_);
  }

  // Whether to go on.
  bool NoteLoss(error_code error, bool may_go_on) {
    ++outcome_.lost_connections;
    if (!may_go_on) Fail("a connection to the server is lost: " + error.message());
    return may_go_on;
  }

 private:
  // Sends what is due by now, as far as there are connections.
  void Dispatch(std::uint64_t now_ns) {
    while (left_ > 0 && !idle_.empty()) {
      if (interval_ns_ > 0 && next_due_ns_ > now_ns) {
        now_ns = clock_.NowNs();
        if (next_due_ns_ > now_ns) return AwaitNext(now_ns);
      }
      Connection<Stream>* const connection = idle_.front();
      idle_.pop_front();
      --left_;
      ++under_way_;
      connection->Start(interval_ns_ > 0 ? next_due_ns_ : now_ns);
      next_due_ns_ += interval_ns_;
    }
    if (left_ > 0 || under_way_ > 0) return;
    next_.cancel();
    watch_.cancel();
  }

  void AwaitNext(std::uint64_t now_ns) {
    if (awaiting_) return;
    awaiting_ = true;
    next_.expires_after(std::chrono::nanoseconds(next_due_ns_ - now_ns));
    next_.async_wait([this](error_code error) {
      awaiting_ = false;
      if (!error) Dispatch(clock_.NowNs());
    });
  }

  void Watch() {
    idle_periods_ = 0;
    watch_.expires_after(kWatchPeriod);
    watch_.async_wait([this](error_code error) { OnWatch(error); });
  }

  void OnWatch(error_code error) {
    if (error || !failure_.empty()) return;
    const bool waits_for_server = under_way_ > 0;
    if (waits_for_server && ++idle_periods_ > kMostIdlePeriods) {
      return Fail("the server has sent nothing for " + std::to_string(kMostIdlePeriods) + " s");
    }
    watch_.expires_after(kWatchPeriod);
    watch_.async_wait([this](error_code again) { OnWatch(again); });
  }

  // Ends the batch, and the use of this load.
  void Fail(const std::string& what) {
    failure_ = what;
    context_.stop();
  }

  const HttpTarget& target_;
  const std::string request_;
  const GuestClock clock_;
  asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  Timer next_{context_};
  Timer watch_{context_};
  std::vector<std::unique_ptr<Connection<Stream>>> connections_;
  boost::circular_buffer<Connection<Stream>*> idle_;  // the one that has waited longest in front
  std::uint64_t left_ = 0;                            // requests of the batch, not sent yet
  std::uint64_t under_way_ = 0;
  std::uint64_t interval_ns_ = 0;
  std::uint64_t next_due_ns_ = 0;
  std::uint64_t now_ns_ = 0;  // of the last response
  bool awaiting_ = false;     // next_ is set
  int idle_periods_ = 0;      // in a row in which nothing came
  std::string failure_;
};

}  // namespace

std::unique_ptr<HttpLoad> HttpLoad::Make(const HttpTarget& target, std::uint64_t connections) {
  if (target.tls) return std::make_unique<Load<TlsStream>>(target, connections);
  return std::make_unique<Load<PlainStream>>(target, connections);
}

}  // namespace hvbench::agent::kernels

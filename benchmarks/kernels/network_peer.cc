// The peer of the network kernels: a server that does what each connection's hello asks for.
#include <netinet/tcp.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/datagrams.h"
#include "benchmarks/kernels/support/peer_server.h"
#include "fixtures/agent/role.h"

namespace hvbench::agent::kernels {
namespace {

using asio::ip::tcp;
using asio::ip::udp;

void ReceiveMessages(TcpConnection& connection, const PeerHello& hello) {
  StreamMessage message(hello.message_bytes, hello.seed);
  for (;;) {
    const std::uint64_t count = connection.ReceiveCount();
    std::uint64_t right = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      connection.Receive(message.bytes());
      right += message.IsNumber(i) ? 1u : 0u;
    }
    connection.SendCount(right);
  }
}

void SendMessages(TcpConnection& connection, const PeerHello& hello) {
  StreamMessage message(hello.message_bytes, hello.seed);
  for (;;) {
    const std::uint64_t count = connection.ReceiveCount();
    for (std::uint64_t i = 0; i < count; ++i) {
      message.Number(i);
      connection.Send(message.bytes());
    }
  }
}

void AnswerMessages(TcpConnection& connection, const PeerHello& hello) {
  std::vector<std::byte> message(hello.message_bytes);
  std::vector<std::byte> answer(hello.answer_bytes);
  for (std::uint64_t number = 0;; ++number) {
    connection.Receive(message);
    PutMark(answer, AnswerTo(hello.seed + number));
    if (!HasMark(message, hello.seed + number)) answer[0] = ~answer[0];
    connection.Send(answer);
  }
}

void AnswerAndClose(TcpConnection& connection, const PeerHello& hello) {
  std::vector<std::byte> answer(hello.answer_bytes);
  PutMark(answer, hello.seed);
  connection.Send(answer);
}

void ExchangeDatagrams(TcpConnection& connection, const PeerHello& hello) {
  const std::uint64_t port = connection.ReceiveCount();
  tcp::socket& control = connection.socket();
  udp::socket socket(control.get_executor(), {control.local_endpoint().address(), 0});
  socket.connect({control.remote_endpoint().address(), static_cast<std::uint16_t>(port)});
  const std::uint16_t own_port = socket.local_endpoint().port();
  Datagrams datagrams(std::move(socket), connection, hello);
  connection.SendCount(own_port);
  for (;;) {
    const std::uint64_t count = connection.ReceiveCount();
    if (hello.operation == PeerOperation::kDatagramsIn) {
      datagrams.ReceiveBurst(count);
    } else {
      connection.SendCount(datagrams.SendBurst(count));
    }
  }
}

// Returns, or throws, when the connection is at its end.
void Serve(TcpConnection& connection) {
  PeerHello hello;
  connection.Receive(std::as_writable_bytes(std::span(&hello, 1)));
  if (!hello.IsValid()) return;
  switch (hello.operation) {
    case PeerOperation::kReceive:
      return ReceiveMessages(connection, hello);
    case PeerOperation::kSend:
      return SendMessages(connection, hello);
    case PeerOperation::kAnswer:
      return AnswerMessages(connection, hello);
    case PeerOperation::kClose:
      return AnswerAndClose(connection, hello);
    case PeerOperation::kDatagramsIn:
    case PeerOperation::kDatagramsOut:
      return ExchangeDatagrams(connection, hello);
  }
}

}  // namespace

PeerServer::PeerServer(const tcp::endpoint& address, unsigned threads)
    : acceptor_(context_), address_(address) {
  boost::system::error_code error;
  acceptor_.open(tcp::v4(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(address, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) address_ = acceptor_.local_endpoint(error);
  CheckNetwork(error, "listen for connections");
  try {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { AcceptAndServe(); });
  } catch (const std::system_error& e) {
    Stop();
    ThrowUnavailable("cannot make a thread", e.code().value());
  }
}

PeerServer::~PeerServer() { Stop(); }

// Each thread waits in accept(2) itself, so that no connection pays for being handed on.
void PeerServer::AcceptAndServe() {
  tcp::acceptor acceptor(context_);
  boost::system::error_code error;
  acceptor.assign(tcp::v4(), dup(acceptor_.native_handle()), error);
  while (!error && !stopping_) {
    tcp::socket socket(context_);
    acceptor.accept(socket, error);
    if (error == asio::error::connection_aborted) error.clear();
    if (error || !socket.is_open() || stopping_) continue;
    try {
      TcpConnection connection(std::move(socket));
      Serve(connection);
    } catch (const std::exception&) {
      // The other side ended the connection or broke the rules: it is closed.
    }
  }
}

// A connection wakes one thread; closing a listening socket does not wake any.
void PeerServer::Stop() {
  stopping_ = true;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    boost::system::error_code ignored;
    tcp::socket(context_).connect(address_, ignored);
  }
  for (std::thread& thread : threads_) thread.join();
}

PeerOfKernel::PeerOfKernel(const Context& context, Path path, unsigned connections) {
  if (path == Path::kNetwork) {
    address_ = ParseEndpoint(context.peer());
  } else {
    const tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
    own_ = std::make_unique<PeerServer>(any_port, connections);
    address_ = own_->address();
  }
}

namespace {

// Arguments: ADDRESS:PORT. Prints where it listens once it does, and ends with its standard input.
int PeerMain(const std::vector<std::string>& arguments) {
  constexpr unsigned kMostConnections = 64;
  try {
    const PeerServer server(ParseEndpoint(arguments.empty() ? "" : arguments[0]), kMostConnections);
    std::printf("%s:%u\n", server.address().address().to_string().c_str(), server.address().port());
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    _exit(0);  // threads may be in the middle of a connection
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hvbench-agent: %s\n", e.what());
    return 1;
  }
}

HVBENCH_ROLE("peer", PeerMain);

}  // namespace
}  // namespace hvbench::agent::kernels

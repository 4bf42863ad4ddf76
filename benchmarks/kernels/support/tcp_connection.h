// A TCP connection to a network peer, on Boost.Asio's blocking calls: a thread for each connection
// is what measures the path and not an event loop.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "benchmarks/kernels/support/peer_protocol.h"
#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {

namespace asio = boost::asio;

// Throws KernelFailed for a network call that failed.
inline void CheckNetwork(const boost::system::error_code& error, const char* what) {
  if (!error) return;
  if (error == asio::error::eof) throw KernelFailed(std::string(what) + ": the peer is gone");
  throw KernelFailed(what, error.value());
}

// "198.18.0.1:4000"; a malformed one is a std::invalid_argument.
inline asio::ip::tcp::endpoint ParseEndpoint(const std::string& text) {
  const std::size_t colon = text.find(':');
  boost::system::error_code error;
  const auto address = asio::ip::make_address_v4(text.substr(0, colon), error);
  const unsigned long port =
      colon == std::string::npos ? ~0ul : std::strtoul(text.c_str() + colon + 1, nullptr, 10);
  if (error || port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::invalid_argument("not an address and a port: " + text);
  }
  return {address, static_cast<std::uint16_t>(port)};
}

class TcpConnection {
 public:
  TcpConnection(asio::io_context& context, const asio::ip::tcp::endpoint& peer,
                const PeerHello& hello)
      : socket_(context) {
    boost::system::error_code error;
    socket_.connect(peer, error);
    CheckNetwork(error, "connect to the peer");
    SendWithoutDelay();
    Send(std::as_bytes(std::span(&hello, 1)));
  }
  // For the peer's side, which accepted the connection.
  explicit TcpConnection(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    SendWithoutDelay();
  }

  void Send(std::span<const std::byte> bytes) {
    boost::system::error_code error;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), AllAtOnce, error);
    CheckNetwork(error, "send to the peer");
  }

  void Receive(std::span<std::byte> bytes) {
    boost::system::error_code error;
    asio::read(socket_, asio::buffer(bytes.data(), bytes.size()), AllAtOnce, error);
    CheckNetwork(error, "receive from the peer");
  }

  void SendCount(std::uint64_t count) { Send(std::as_bytes(std::span(&count, 1))); }
  std::uint64_t ReceiveCount() {
    std::uint64_t count = 0;
    Receive(std::as_writable_bytes(std::span(&count, 1)));
    return count;
  }

  // Whether the peer closed its side, having sent no more.
  bool AwaitEnd() {
    std::byte more{};
    boost::system::error_code error;
    socket_.read_some(asio::buffer(&more, 1), error);
    return error == asio::error::eof;
  }

  asio::ip::tcp::socket& socket() { return socket_; }

 private:
  // Asio's own condition cuts transfers into calls of 64 KiB.
  static std::size_t AllAtOnce(const boost::system::error_code& error, std::size_t) {
    return error ? 0 : std::numeric_limits<std::size_t>::max();
  }

  void SendWithoutDelay() {
    boost::system::error_code error;
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    CheckNetwork(error, "set TCP_NODELAY");
  }

  asio::ip::tcp::socket socket_;
};

}  // namespace hvbench::agent::kernels

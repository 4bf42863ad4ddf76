// Bursts of UDP datagrams: the sender goes on until the receiver says over TCP that as many as were
// asked for have arrived, however many get lost.
#pragma once

#include <poll.h>

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "benchmarks/kernels/support/tcp_connection.h"

namespace hvbench::agent::kernels {

struct DatagramHead {
  std::uint64_t burst = 0;
  std::uint64_t number = 0;
};

// The smallest datagram has a head, and a mark at its end.
inline constexpr std::size_t kMinDatagramBytes = sizeof(DatagramHead) + sizeof(std::uint64_t);
inline constexpr std::size_t kMaxDatagramBytes = 65'507;  // of UDP over IPv4

class Datagrams {
 public:
  // `socket` is connected; `control` is the TCP connection between the same two.
  Datagrams(asio::ip::udp::socket socket, TcpConnection& control, const PeerHello& hello)
      : socket_(std::move(socket)),
        control_(control),
        seed_(hello.seed),
        buffer_(hello.message_bytes) {
    if (buffer_.size() < kMinDatagramBytes || buffer_.size() > kMaxDatagramBytes) {
      throw std::invalid_argument("no size for a datagram: " + std::to_string(buffer_.size()));
    }
    socket_.non_blocking(true);
  }

  // Sends until `count` have arrived. Returns how many were sent.
  std::uint64_t SendBurst(std::uint64_t count) {
    constexpr std::uint64_t kBetweenLooks = 16;  // a look costs a fraction of a datagram
    ++burst_;
    std::uint64_t sent = 0;
    do {
      for (std::uint64_t i = 0; i < kBetweenLooks; ++i) Send(sent++);
    } while (!Await(/*timeout_ms=*/0).control);
    if (control_.ReceiveCount() != count) throw KernelFailed("the receiver counted wrong");
    return sent;
  }

  // Returns when `count` right datagrams of the next burst have arrived, each once and in their
  // order, and the sender knows it.
  void ReceiveBurst(std::uint64_t count) {
    ++burst_;
    std::uint64_t next = 0;  // the least number that did not come yet
    for (std::uint64_t right = 0; right < count;) {
      boost::system::error_code error;
      const std::size_t size = socket_.receive(asio::buffer(buffer_), 0, error);
      if (error == asio::error::would_block) {
        // Nothing but the end of the connection is to be read there.
        if (Await(/*timeout_ms=*/-1).control) CheckNetwork(asio::error::eof, "receive datagrams");
        continue;
      }
      CheckNetwork(error, "receive a datagram");
      const DatagramHead head = HeadOf(size);
      // What comes late from the burst before is of no use.
      if (head.burst != burst_ || head.number < next) continue;
      if (!HasMark(Tail(), seed_ + head.number)) continue;
      next = head.number + 1;
      ++right;
    }
    control_.SendCount(count);
  }

 private:
  struct Readable {
    bool datagrams = false;
    bool control = false;
  };

  Readable Await(int timeout_ms) {
    std::array<pollfd, 2> fds = {pollfd{socket_.native_handle(), POLLIN, 0},
                                 pollfd{control_.socket().native_handle(), POLLIN, 0}};
    if (poll(fds.data(), fds.size(), timeout_ms) < 0 && errno != EINTR) {
      throw KernelFailed("poll", errno);
    }
    return {fds[0].revents != 0, fds[1].revents != 0};
  }

  void Send(std::uint64_t number) {
    const DatagramHead head{burst_, number};
    std::memcpy(buffer_.data(), &head, sizeof(head));
    PutMark(Tail(), seed_ + number);
    boost::system::error_code error;
    for (;;) {
      socket_.send(asio::buffer(buffer_), 0, error);
      if (error != asio::error::would_block) break;
      pollfd writable{socket_.native_handle(), POLLOUT, 0};
      poll(&writable, 1, -1);
    }
    // A full queue of the device: the datagram is lost, as any other.
    if (error != asio::error::no_buffer_space) CheckNetwork(error, "send a datagram");
  }

  DatagramHead HeadOf(std::size_t size) const {
    DatagramHead head;
    if (size == buffer_.size()) std::memcpy(&head, buffer_.data(), sizeof(head));
    return head;
  }

  std::span<std::byte> Tail() { return std::span(buffer_).last(sizeof(std::uint64_t)); }

  asio::ip::udp::socket socket_;
  TcpConnection& control_;
  std::uint64_t seed_;
  std::vector<std::byte> buffer_;
  std::uint64_t burst_ = 0;
};

}  // namespace hvbench::agent::kernels

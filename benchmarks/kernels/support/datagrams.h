// Bursts of UDP datagrams whose receiver knows how many were sent and when the burst is over,
// however many get lost: behind the last one come end marks, until the receiver says over TCP that
// it saw one.
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

inline constexpr std::uint64_t kEndOfBurst = ~std::uint64_t{0};
// Of a datagram: its head, and a mark at its end.
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

  // Sends a burst and returns what the receiver says at its end: how many it got.
  std::uint64_t SendBurst(std::uint64_t count) {
    ++burst_;
    for (std::uint64_t i = 0; i < count; ++i) Send(i);
    constexpr int kEndMarks = 10'000;
    for (int i = 0; i < kEndMarks; ++i) {
      Send(kEndOfBurst);
      if (AwaitAny(kBetweenEndMarksMs).control) return control_.ReceiveCount();
    }
    throw KernelFailed("no end mark of a burst of datagrams arrived in 10 s");
  }

  // The number of right datagrams in the next burst; tells it to the sender.
  std::uint64_t ReceiveBurst() {
    ++burst_;
    std::uint64_t right = 0;
    for (;;) {
      boost::system::error_code error;
      const std::size_t size = socket_.receive(asio::buffer(buffer_), 0, error);
      if (error == asio::error::would_block) {
        // Nothing but the end of the connection is to be read there.
        if (AwaitAny(-1).control) CheckNetwork(asio::error::eof, "receive datagrams");
        continue;
      }
      CheckNetwork(error, "receive a datagram");
      const DatagramHead head = HeadOf(size);
      if (head.burst != burst_) continue;  // an end mark of the burst before
      if (head.number == kEndOfBurst) break;
      right += HasMark(Tail(), seed_ + head.number) ? 1u : 0u;
    }
    control_.SendCount(right);
    return right;
  }

 private:
  static constexpr int kBetweenEndMarksMs = 1;

  struct Readable {
    bool datagrams = false;
    bool control = false;
  };

  Readable AwaitAny(int timeout_ms) {
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

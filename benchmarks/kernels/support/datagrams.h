// Bursts of UDP datagrams: the sender goes on until the receiver says over TCP that as many as were
// asked for have arrived, however many get lost. It sends at a rate, or as fast as the receiver
// takes them. Never without a limit: an overrun receiver spends its time on what it then drops
// (J. Mogul and K. Ramakrishnan, "Eliminating Receive Livelock in an Interrupt-Driven Kernel",
// 1997), and what arrives then is chance.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
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
  // PeerHello::interval_ns is the time between two datagrams; with 0 the sender is at most kWindow
  // of them ahead of the receiver, which reports how far it is.
  Datagrams(asio::ip::udp::socket socket, TcpConnection& control, const PeerHello& hello)
      : socket_(std::move(socket)),
        control_(control),
        seed_(hello.seed),
        interval_(hello.interval_ns),
        buffer_(hello.message_bytes) {
    if (buffer_.size() < kMinDatagramBytes || buffer_.size() > kMaxDatagramBytes) {
      throw std::invalid_argument("no size for a datagram: " + std::to_string(buffer_.size()));
    }
    socket_.non_blocking(true);
  }

  // Sends until `count` have arrived. Returns how many were sent.
  std::uint64_t SendBurst(std::uint64_t count) {
    Begin(count);
    return interval_.count() > 0 ? SendAtRate() : SendAsTheyAreTaken();
  }

  // Returns when `count` right datagrams of the next burst have arrived, each once and in their
  // order, and the sender knows it.
  void ReceiveBurst(std::uint64_t count) {
    Begin(count);
    while (right_ < count_) {
      boost::system::error_code error;
      const std::size_t size = socket_.receive(asio::buffer(buffer_), 0, error);
      if (error == asio::error::would_block) {
        // Nothing but the end of the connection is to be read there.
        if (Await(/*datagrams=*/true, /*timeout_ms=*/-1)) {
          CheckNetwork(asio::error::eof, "receive datagrams");
        }
        continue;
      }
      CheckNetwork(error, "receive a datagram");
      const DatagramHead head = HeadOf(size);
      // What comes late from the burst before is of no use.
      if (head.burst != burst_ || head.number < reached_) continue;
      if (!HasMark(Tail(), seed_ + head.number)) continue;
      const bool is_next = head.number == std::exchange(reached_, head.number + 1);
      const bool reports = interval_.count() == 0 && (!is_next || right_ % kBetweenReports == 0);
      if (++right_ == count_ || reports) Report();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Of 1400 bytes, 64 fill two thirds of a socket's buffer by Linux's default (212,992 bytes, of
  // which such a datagram takes 2304).
  static constexpr std::uint64_t kWindow = 64;
  static constexpr std::uint64_t kBetweenReports = 16;
  static constexpr std::uint64_t kBetweenLooks = 16;  // a look costs a fraction of a datagram
  static constexpr int kPatienceMs = 20;              // then the rest of a window counts as lost

  void Begin(std::uint64_t count) {
    ++burst_;
    count_ = count;
    reached_ = right_ = 0;
  }

  void Report() {
    control_.SendCount(reached_);
    control_.SendCount(right_);
  }

  // No further ahead than the window, and no more than are still wanted.
  std::uint64_t SendAsTheyAreTaken() {
    std::uint64_t sent = 0;
    std::uint64_t given_up = 0;  // of those that nothing was heard of
    for (;;) {
      const bool may_send = sent < reached_ + std::min(kWindow, count_ - right_) + given_up;
      if (!may_send || sent % kBetweenLooks == 0) {
        const std::uint64_t reached_before = reached_;
        if (ReadReports(sent, may_send ? 0 : kPatienceMs)) return sent;
        given_up = reached_ > reached_before ? 0 : given_up + (may_send ? 0 : 1);
      }
      if (may_send) Send(sent++);
    }
  }

  // What is due at once after a sleep, which may be longer than asked for, is sent at once.
  std::uint64_t SendAtRate() {
    std::uint64_t sent = 0;
    for (Clock::time_point due = Clock::now();; due += interval_) {
      const bool waits = due > Clock::now();
      if (waits) std::this_thread::sleep_until(due);
      Send(sent++);
      if ((waits || sent % kBetweenLooks == 0) && ReadReports(sent, /*timeout_ms=*/0)) return sent;
    }
  }

  // Whether all have arrived. Waits at most that long for the receiver to say something.
  bool ReadReports(std::uint64_t sent, int timeout_ms) {
    for (; Await(/*datagrams=*/false, timeout_ms); timeout_ms = 0) {
      reached_ = std::clamp(control_.ReceiveCount(), reached_, sent);
      right_ = std::clamp(control_.ReceiveCount(), right_, count_);
      if (right_ == count_) return true;
    }
    return false;
  }

  // Whether there is something to read on the control connection, or it has ended.
  bool Await(bool datagrams, int timeout_ms) {
    std::array<pollfd, 2> fds = {pollfd{control_.socket().native_handle(), POLLIN, 0},
                                 pollfd{socket_.native_handle(), POLLIN, 0}};
    if (poll(fds.data(), datagrams ? 2 : 1, timeout_ms) < 0 && errno != EINTR) {
      throw KernelFailed("poll", errno);
    }
    return fds[0].revents != 0;
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
  std::chrono::nanoseconds interval_;
  std::vector<std::byte> buffer_;
  // Of the burst, by both sides; the sender's are as old as the last report.
  std::uint64_t burst_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t reached_ = 0;
  std::uint64_t right_ = 0;
};

}  // namespace hvbench::agent::kernels

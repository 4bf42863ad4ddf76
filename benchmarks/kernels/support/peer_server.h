// The other side of the network kernels: in the agent's own process for loopback, in a process of
// its own (the role "peer") for everything else.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "benchmarks/kernels/support/tcp_connection.h"

namespace hvbench::agent::kernels {

class PeerServer {
 public:
  // Serves as many connections at a time as it has threads; more of them wait. Port 0 is any free
  // one. Throws KernelFailed if it cannot listen, Unsupported if threads are not to be had.
  PeerServer(const asio::ip::tcp::endpoint& address, unsigned threads);
  PeerServer(const PeerServer&) = delete;
  PeerServer& operator=(const PeerServer&) = delete;
  // Precondition: the other sides of all connections are closed.
  ~PeerServer();

  const asio::ip::tcp::endpoint& address() const { return address_; }

 private:
  void AcceptAndServe();
  void Stop();

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::endpoint address_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

// Whom a kernel talks to: the guest's peer on the network, or a server of its own on loopback.
enum class Path { kNetwork, kLoopback };

class PeerOfKernel {
 public:
  // `connections`: as many as the kernel will have at a time.
  PeerOfKernel(const Context& context, Path path, unsigned connections);

  const asio::ip::tcp::endpoint& address() const { return address_; }

 private:
  std::unique_ptr<PeerServer> own_;
  asio::ip::tcp::endpoint address_;
};

}  // namespace hvbench::agent::kernels

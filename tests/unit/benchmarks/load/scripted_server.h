// An HTTP server on loopback that answers as a test wants it to, one request of a connection after
// the other.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/streambuf.hpp>
#include <functional>
#include <string>
#include <thread>

namespace hvbench::testing {

class ScriptedServer {
 public:
  // The response to request number `request`, from 0, over all connections; "" closes the
  // connection instead. Runs in the server's only thread: what it waits, all connections wait.
  using Script = std::function<std::string(int request)>;

  // With `keeps_alive` false it closes after each response.
  explicit ScriptedServer(Script script, bool keeps_alive = true);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  boost::asio::ip::tcp::endpoint address() const { return acceptor_.local_endpoint(); }
  int connections() const { return connections_; }

 private:
  struct Connection;
  void Accept();
  void Serve(const std::shared_ptr<Connection>& connection);

  Script script_;
  bool keeps_alive_;
  int requests_ = 0;
  std::atomic<int> connections_ = 0;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

// A right response with that body.
std::string HttpResponseWith(const std::string& body);

}  // namespace hvbench::testing

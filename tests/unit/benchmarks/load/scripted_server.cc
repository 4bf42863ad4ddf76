#include "tests/unit/benchmarks/load/scripted_server.h"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

namespace hvbench::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

struct ScriptedServer::Connection {
  explicit Connection(tcp::socket accepted) : socket(std::move(accepted)) {}
  tcp::socket socket;
  asio::streambuf received;
  std::string response;
};

ScriptedServer::ScriptedServer(Script script, bool keeps_alive)
    : script_(std::move(script)),
      keeps_alive_(keeps_alive),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  Accept();
  thread_ = std::thread([this] { context_.run(); });
}

ScriptedServer::~ScriptedServer() {
  context_.stop();
  thread_.join();
}

void ScriptedServer::Accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (error) return;
    ++connections_;
    Serve(std::make_shared<Connection>(std::move(socket)));
    Accept();
  });
}

void ScriptedServer::Serve(const std::shared_ptr<Connection>& connection) {
  asio::async_read_until(
      connection->socket, connection->received, "\r\n\r\n",
      [this, connection](const boost::system::error_code& error, std::size_t count) {
        if (error) return;
        connection->received.consume(count);
        connection->response = script_(requests_++);
        if (connection->response.empty()) return;
        asio::async_write(connection->socket, asio::buffer(connection->response),
                          [this, connection](const boost::system::error_code& failed, std::size_t) {
                            if (!failed && keeps_alive_) Serve(connection);
                          });
      });
}

std::string HttpResponseWith(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace hvbench::testing

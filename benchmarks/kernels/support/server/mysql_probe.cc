#include "benchmarks/kernels/support/server/mysql_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

constexpr timeval kTimeout{.tv_sec = 5, .tv_usec = 0};
constexpr std::size_t kHeaderBytes = 4;  // three of the payload's length, the packet's number

UniqueFd Connect(std::uint16_t port) {
  UniqueFd connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof(kTimeout));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  return connect(connection.get(), any, sizeof(address)) == 0 ? std::move(connection) : UniqueFd();
}

bool Receive(int fd, std::span<char> bytes) {
  return recv(fd, bytes.data(), bytes.size(), MSG_WAITALL) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::string> ReceivePacket(int fd) {
  std::array<char, kHeaderBytes> header{};
  if (!Receive(fd, header)) return {};
  std::size_t size = 0;
  for (std::size_t i = 3; i-- > 0;) size = size << 8 | static_cast<unsigned char>(header[i]);
  std::string payload(size, '\0');
  if (!Receive(fd, payload)) return {};
  return payload;
}

void SendPacket(int fd, std::string_view payload, char number) {
  std::string packet;
  for (int shift = 0; shift < 24; shift += 8) {
    packet += static_cast<char>(payload.size() >> shift & 0xff);
  }
  packet += number;
  packet += payload;
  send(fd, packet.data(), packet.size(), MSG_NOSIGNAL);
}

// HandshakeResponse41 with an empty answer to the server's challenge.
std::string LogIn(const std::string& user) {
  constexpr std::string_view kCapabilities("\x00\x82\x08\x00", 4);  // protocol 4.1, its
                                                                    // authentication, by plugins
  constexpr std::string_view kMaxPacketBytes("\x00\x00\x00\x01", 4);
  constexpr char kUtf8mb4 = 45;
  std::string payload(kCapabilities);
  payload += kMaxPacketBytes;
  payload += kUtf8mb4;
  payload += std::string(23, '\0') + user + '\0';  // reserved; the name
  payload += '\0';                                 // the answer's length
  payload += std::string("mysql_native_password") + '\0';
  return payload;
}

}  // namespace

bool MySqlAnswers(std::uint16_t port, const std::string& user) {
  constexpr char kProtocolVersion = 10;
  constexpr char kOk = 0;
  constexpr char kOtherPlugin = '\xfe';
  constexpr std::string_view kQuery("\3DO 1");
  constexpr std::string_view kQuit("\1");  // without it the server's log speaks of an abort
  const UniqueFd connection = Connect(port);
  const int fd = connection.get();
  if (fd < 0) return false;
  std::optional<std::string> reply = ReceivePacket(fd);
  if (!reply || !reply->starts_with(kProtocolVersion)) return false;
  SendPacket(fd, LogIn(user), 1);
  reply = ReceivePacket(fd);
  if (reply && reply->starts_with(kOtherPlugin)) {  // no password is one in each of them
    SendPacket(fd, "", 3);
    reply = ReceivePacket(fd);
  }
  if (!reply || !reply->starts_with(kOk)) return false;
  SendPacket(fd, kQuery, 0);
  reply = ReceivePacket(fd);
  SendPacket(fd, kQuit, 0);
  return reply && reply->starts_with(kOk);
}

}  // namespace hvbench::agent::kernels

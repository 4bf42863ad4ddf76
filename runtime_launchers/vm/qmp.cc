#include "runtime_launchers/vm/qmp.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLineBytes = 1 << 20;

// Nothing if nobody listens yet.
UniqueFd TryConnect(const std::filesystem::path& path) {
  const SocketPath socket_path(path);
  const sockaddr_un address = socket_path.address();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw SystemError("cannot make a socket", errno);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  if (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN) return {};
  throw SystemError("cannot connect to " + path.string(), errno);
}

json Parse(const std::string& line) {
  json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) throw Error("QEMU's monitor sent what is no QMP message: " + line);
  return message;
}

}  // namespace

QmpClient QmpClient::Connect(const std::filesystem::path& socket, int death_fd, Deadline deadline) {
  constexpr int kPauseMs = 1;
  QmpClient client;
  while (!(client.socket_ = TryConnect(socket))) {
    if (InterruptRequested()) throw Interrupted();
    pollfd death{death_fd, POLLIN, 0};
    if (poll(&death, 1, kPauseMs) > 0)
      throw Error("QEMU ended before its monitor could be reached");
    if (deadline.Passed()) throw TimedOut("QEMU's monitor could not be reached in time");
  }
  const json greeting = Parse(client.ReadLine(deadline, /*interruptible=*/true));
  if (!greeting.contains("QMP")) throw Error("QEMU's monitor sent no greeting");
  client.Execute("qmp_capabilities", deadline, /*interruptible=*/true);
  return client;
}

bool QmpClient::TakeLine(std::string& line) {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return false;
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return true;
}

// False if there is nothing to read yet.
bool QmpClient::ReadAvailable() {
  std::array<char, 4096> bytes;
  const ssize_t n = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n > 0) {
    buffer_.append(bytes.data(), static_cast<std::size_t>(n));
    if (buffer_.size() > kMaxLineBytes) throw Error("QEMU's monitor sent a line without an end");
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  throw Error("QEMU closed its monitor");
}

std::string QmpClient::ReadLine(Deadline deadline, bool interruptible) {
  std::string line;
  while (!TakeLine(line)) {
    if (!WaitReadable(socket_.get(), deadline, interruptible)) {
      throw TimedOut("QEMU's monitor did not answer in time");
    }
    ReadAvailable();
  }
  return line;
}

void QmpClient::NoteEvent(const std::string& line) {
  const json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object() || message.value("event", "") != "SHUTDOWN") return;
  shutdown_reason_ = message.value(json::json_pointer("/data/reason"), std::string());
}

std::string QmpClient::Execute(const char* command, Deadline deadline, bool interruptible) {
  if (!socket_) throw Error("there is no connection to QEMU's monitor");
  const std::string request = WriteJson(json{{"execute", command}}) + "\n";
  const ssize_t sent = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) {
    throw SystemError("cannot write to QEMU's monitor", sent < 0 ? errno : EAGAIN);
  }
  for (;;) {
    const std::string line = ReadLine(deadline, interruptible);
    const json message = Parse(line);
    if (message.contains("return")) return message["return"].dump();
    if (message.contains("error")) {
      throw Error(std::string("QEMU refused '") + command +
                  "': " + message.value(json::json_pointer("/error/desc"), line));
    }
    NoteEvent(line);
  }
}

std::string QmpClient::Status(Deadline deadline) {
  return Parse(Execute("query-status", deadline)).value("status", "");
}

std::vector<pid_t> QmpClient::VcpuThreads(Deadline deadline) {
  std::vector<pid_t> threads;
  for (const json& cpu : json::parse(Execute("query-cpus-fast", deadline))) {
    threads.push_back(cpu.value("thread-id", pid_t{-1}));
  }
  return threads;
}

std::string QmpClient::ShutdownReason() {
  try {
    while (socket_ && ReadAvailable()) {
    }
  } catch (const Error&) {
    // Its end; what came before it is in the buffer.
  }
  for (std::string line; TakeLine(line);) NoteEvent(line);
  return shutdown_reason_;
}

}  // namespace hvbench

#include "runtime_launchers/support/socket_path.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "runtime_launchers/support/error.h"

namespace hvbench {

SocketPath::SocketPath(const std::filesystem::path& socket) : name_(socket.string()) {
  if (name_.size() <= kMostSocketPathBytes) return;
  const std::string name = socket.filename();
  folder_ = UniqueFd(open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) throw SystemError("cannot open " + socket.parent_path().string(), errno);
  name_ = "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + name;
  if (name_.size() > kMostSocketPathBytes) {
    throw Error("the socket's name is too long (107 bytes at most): " + name);
  }
}

sockaddr_un SocketPath::address() const {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::copy(name_.begin(), name_.end(), address.sun_path);
  return address;
}

}  // namespace hvbench

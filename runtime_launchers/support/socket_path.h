// Names of unix sockets, for which sockaddr_un has room for 107 bytes.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <string>

#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// The most that fits, without the zero at the end.
inline constexpr std::size_t kMostSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;

// A name that fits and leads to the socket as long as the object lives: its path, or where that is
// longer, one through the opened folder. Throws Error if the socket's own name is too long, and
// SystemError if the folder cannot be opened.
class SocketPath {
 public:
  explicit SocketPath(const std::filesystem::path& socket);

  const std::string& name() const { return name_; }
  sockaddr_un address() const;

 private:
  UniqueFd folder_;
  std::string name_;
};

}  // namespace hvbench

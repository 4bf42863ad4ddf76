#include "tests/unit/runtime_launchers/support/fake_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace hvbench {

FakeSocket::FakeSocket() : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path().string().copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  listen(listener_.get(), 8);
}

UniqueFd FakeSocket::Accept() const {
  return UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

void FakeSocket::Close() const { shutdown(listener_.get(), SHUT_RDWR); }

}  // namespace hvbench

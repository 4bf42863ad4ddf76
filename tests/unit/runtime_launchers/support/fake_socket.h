// A unix socket in a folder of its own that a fake server listens on.
#pragma once

#include <filesystem>

#include "runtime_launchers/support/unique_fd.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {

class FakeSocket {
 public:
  FakeSocket();

  std::filesystem::path path() const { return dir_.path() / "socket"; }
  // Nothing once the socket is closed.
  UniqueFd Accept() const;
  // From now on connections are refused. From any thread, and more than once.
  void Close() const;

 private:
  TemporaryDir dir_;
  UniqueFd listener_;
};

}  // namespace hvbench

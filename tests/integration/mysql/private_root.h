// Where a test's real server runs: an application root made of the machine's own programs, and a
// network of its own, both of which end with this process.
#pragma once

#include <filesystem>
#include <string>

namespace hvbench::agent {

class PrivateRoot {
 public:
  // Precondition: this process has one thread. It stays in the new namespaces.
  PrivateRoot();
  PrivateRoot(const PrivateRoot&) = delete;
  PrivateRoot& operator=(const PrivateRoot&) = delete;
  ~PrivateRoot();

  const std::filesystem::path& path() const { return path_; }
  // Why there cannot be one here, or "".
  static std::string Problem();

 private:
  std::filesystem::path path_;
};

}  // namespace hvbench::agent

#include "tests/unit/benchmarks/kernels/test_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace hvbench::agent {
namespace {

std::array<int, 2> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  return ends;
}

std::string StartPeer() {
  const std::array<int, 2> to_peer = MakePipe();  // its write end stays open as long as we live
  const std::array<int, 2> from_peer = MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    if (fork() != 0) _exit(0);
    dup2(to_peer[0], STDIN_FILENO);
    dup2(from_peer[1], STDOUT_FILENO);
    execl("/proc/self/exe", "peer", "--role=peer", "127.0.0.1:0", nullptr);
    _exit(127);
  }
  waitpid(child, nullptr, 0);
  close(to_peer[0]);
  close(from_peer[1]);
  std::string address;
  char byte = 0;
  while (read(from_peer[0], &byte, 1) == 1 && byte != '\n') address += byte;
  close(from_peer[0]);
  if (address.empty()) throw std::runtime_error("the test's peer does not start");
  return address;
}

}  // namespace

const std::string& TestPeer() {
  static const std::string kAddress = StartPeer();
  return kAddress;
}

}  // namespace hvbench::agent

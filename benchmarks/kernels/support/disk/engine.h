// Ways to ask the kernel for I/O. One engine belongs to one job; it has as many slots as operations
// may be under way at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hvbench::agent::kernels {

struct IoOperation {
  unsigned slot = 0;
  bool is_write = false;
  std::uint64_t offset = 0;
  std::byte* data = nullptr;  // one block within the buffers
};

struct IoCompletion {
  unsigned slot = 0;
  std::int64_t result = 0;  // bytes, or a negative errno
};

struct EngineOptions {
  int fd = -1;
  std::size_t block_bytes = 0;
  unsigned depth = 1;            // slots
  std::span<std::byte> buffers;  // outlive the engine
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // Waits for what is under way.
  virtual ~Engine() = default;

  // Submits an operation for a slot that has none. One by one, as fio does by default: the device
  // works on the first ones while the others are submitted, and the kernel cannot merge neighbours
  // into larger requests. Throws KernelFailed.
  virtual void Queue(const IoOperation& operation) = 0;
  // Waits until an operation of any age is done, and takes that one alone, as fio does by default:
  // its successor is submitted before the next one is looked for, so that neither the device nor an
  // operation's clock waits for the rest of a batch. One must be under way. Throws KernelFailed.
  virtual IoCompletion Wait() = 0;
};

std::unique_ptr<Engine> MakePsyncEngine(const EngineOptions& options);
std::unique_ptr<Engine> MakeLibaioEngine(const EngineOptions& options);
// `registered`: the file and the buffers are made known to the kernel beforehand.
std::unique_ptr<Engine> MakeIoUringEngine(const EngineOptions& options, bool registered);

// "psync", "libaio", "io_uring" or "io_uring_fixed". Unsupported where the guest lacks it; another
// name, or a depth that the engine cannot have, is a std::invalid_argument.
std::unique_ptr<Engine> MakeEngine(const std::string& name, const EngineOptions& options);

}  // namespace hvbench::agent::kernels

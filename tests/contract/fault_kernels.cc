// Kernels that bring their machine down, each in another way, and do not return; and a flood.
#include <signal.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {
namespace {

constexpr std::uint8_t kAll = protocol::kSmoke | protocol::kQuick | protocol::kFull;

class Fault : public Kernel {
 public:
  void Verify() override { throw WrongResult("the machine survived"); }
};

class Panic : public Fault {
 public:
  void Run(std::uint64_t) override { std::ofstream("/proc/sysrq-trigger") << 'c'; }
};

// The kernel may kill nobody for it: there is but its first process.
class OutOfMemory : public Fault {
 public:
  void Run(std::uint64_t) override {
    constexpr std::size_t kChunkBytes = 1 << 20;
    for (;;) {
      void* const chunk = mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (chunk == MAP_FAILED) throw KernelFailed("mmap", errno);
      std::memset(chunk, 1, kChunkBytes);
    }
  }
};

class KilledAgent : public Fault {
 public:
  // The first process is immune against signals but for those that it causes itself.
  void Run(std::uint64_t) override {
    signal(SIGILL, SIG_DFL);
    __builtin_trap();
  }
};

// As a triple fault ends it.
class Reset : public Fault {
 public:
  void Run(std::uint64_t) override { reboot(RB_AUTOBOOT); }
};

// For a VMM that is killed meanwhile.
class Endless : public Fault {
 public:
  void Run(std::uint64_t) override {
    for (;;) pause();
  }
};

// Prints, as a program in a loop does, and survives it.
class Flood : public Kernel {
 public:
  void Prepare(const Context& context) override { bytes_ = context.Number("mib") << 20; }
  void Run(std::uint64_t) override {
    std::string chunk;
    while (chunk.size() < kChunkBytes) chunk += "<b>a line of a flood</b>\n";
    for (std::size_t written = 0; written < bytes_; written += chunk.size()) {
      if (write(STDERR_FILENO, chunk.data(), chunk.size()) < 0) throw KernelFailed("write", errno);
    }
  }
  void Verify() override {}

 private:
  // A machine's standard error is the kernel's log, whose entries have less than 1 KiB.
  static constexpr std::size_t kChunkBytes = 800;
  std::size_t bytes_ = 0;
};

HVBENCH_KERNEL(Panic, .name = "fault/panic", .summary = "A kernel panic", .unit = "machine",
               .parameter_sets = {{kAll, {}}});
HVBENCH_KERNEL(OutOfMemory, .name = "fault/out_of_memory", .summary = "All memory, and more",
               .unit = "machine", .parameter_sets = {{kAll, {}}});
HVBENCH_KERNEL(Flood, .name = "fault/flood", .summary = "Output without end", .unit = "machine",
               .parameter_sets = {{kAll, {{"mib", "4"}}}});
HVBENCH_KERNEL(KilledAgent, .name = "fault/killed_agent", .summary = "The agent dies",
               .unit = "machine", .parameter_sets = {{kAll, {}}});
HVBENCH_KERNEL(Reset, .name = "fault/reset", .summary = "A reset", .unit = "machine",
               .parameter_sets = {{kAll, {}}});
HVBENCH_KERNEL(Endless, .name = "fault/endless", .summary = "A run that never ends",
               .unit = "machine", .parameter_sets = {{kAll, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels

// Two processes that send each other a byte in turn.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <optional>

#include "benchmarks/kernels/support/affinity.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    RequireAvailable(pipe2(ends.data(), O_CLOEXEC), "pipe2");
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  UniqueFd reader;
  UniqueFd writer;
};

class PipePingpong : public Kernel {
 public:
  ~PipePingpong() override {
    if (partner_ <= 0) return;
    kill(partner_, SIGKILL);
    waitpid(partner_, nullptr, 0);
  }

  void Prepare(const Context& context) override {
    Pipe to_partner;
    Pipe to_me;
    placement_.emplace(CpuPairOf(context), [&] {
      partner_ = RequireAvailable(fork(), "fork");
      if (partner_ == 0) Echo(to_partner.reader.get(), to_me.writer.get());
    });
    writer_ = std::move(to_partner.writer);
    reader_ = std::move(to_me.reader);
  }

  void Run(std::uint64_t iterations) override {
    unsigned char sent = 0;
    tally_.Run(iterations, [&] {
      ++sent;
      unsigned char answer = 0;
      if (write(writer_.get(), &sent, 1) != 1 || read(reader_.get(), &answer, 1) != 1) {
        throw KernelFailed("the other process is gone");
      }
      return answer == AnswerTo(sent);
    });
  }

  void Verify() override { tally_.Verify("answers of the other process"); }

 private:
  static unsigned char AnswerTo(unsigned char byte) { return static_cast<unsigned char>(~byte); }

  // The partner's whole life. It holds no other descriptor of the agent's, and dies with it.
  [[noreturn]] static void Echo(int from, int to) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(from, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0) _exit(1);
    syscall(SYS_close_range, STDERR_FILENO, ~0u, 0);
    unsigned char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) == 1) {
      byte = AnswerTo(byte);
      if (write(STDOUT_FILENO, &byte, 1) != 1) break;
    }
    _exit(0);
  }

  UniqueFd writer_;
  UniqueFd reader_;
  pid_t partner_ = 0;
  std::optional<PairPlacement> placement_;
  Tally tally_;
};

HVBENCH_KERNEL(PipePingpong, .name = "syscall/pipe_pingpong",
               .summary = "Two processes send each other one byte in turn by pipes",
               .unit = "round_trip",
               .parameter_sets = {{kSmoke | kReal, {{"cpus", "1"}}},
                                  {kFull, {{"cpus", "2"}}, /*cpus=*/2}});

}  // namespace
}  // namespace hvbench::agent::kernels

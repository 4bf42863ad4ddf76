// A thread that ends at once.
#include <pthread.h>

#include <atomic>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class ThreadCreateJoin : public Kernel {
 public:
  // The default size of a stack follows the guest's limits, which differ.
  ThreadCreateJoin() {
    pthread_attr_init(&attributes_);
    pthread_attr_setstacksize(&attributes_, 256 * kKiB);
  }
  ~ThreadCreateJoin() override { pthread_attr_destroy(&attributes_); }

  void Run(std::uint64_t iterations) override {
    ran_ = 0;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      pthread_t thread{};
      const int error = pthread_create(&thread, &attributes_, &CountOne, &ran_);
      if (error != 0) throw KernelFailed("pthread_create", error);
      pthread_join(thread, nullptr);
    }
    tally_.Record(iterations, ran_);
  }

  void Verify() override { tally_.Verify("threads that ran"); }

 private:
  static void* CountOne(void* ran) {
    ++*static_cast<std::atomic<std::uint64_t>*>(ran);
    return nullptr;
  }

  pthread_attr_t attributes_;
  std::atomic<std::uint64_t> ran_{0};
  Tally tally_;
};

HVBENCH_KERNEL(ThreadCreateJoin, .name = "syscall/thread_create_join",
               .summary = "pthread_create of a thread that ends at once, pthread_join",
               .unit = "thread", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels

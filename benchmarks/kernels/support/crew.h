// Threads that are made in Prepare and sleep until a batch releases them, so that no batch pays for
// making threads. Sleeping is on a condition variable: no spinning, one vCPU is enough.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "benchmarks/kernels/support/check.h"

namespace hvbench::agent::kernels {

class Crew {
 public:
  // Runs on each member for each batch; must not throw.
  using Job = std::function<void(std::size_t member, std::uint64_t iterations)>;

  Crew(std::size_t members, Job job) : job_(std::move(job)) {
    try {
      for (std::size_t member = 0; member < members; ++member) {
        threads_.emplace_back([this, member] { Serve(member); });
      }
    } catch (const std::system_error& error) {
      Dismiss();
      ThrowUnavailable("cannot make a thread", error.code().value());
    }
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() { Dismiss(); }

  // Begins a batch on every member and returns at once.
  void Release(std::uint64_t iterations) {
    {
      const std::lock_guard lock(mutex_);
      iterations_ = iterations;
      busy_ = threads_.size();
      ++batch_;
    }
    released_.notify_all();
  }

  // Waits until every member has ended its batch.
  void Await() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void Serve(std::size_t member) {
    std::uint64_t served = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      released_.wait(lock, [&] { return dismissed_ || batch_ != served; });
      if (dismissed_) return;
      served = batch_;
      const std::uint64_t iterations = iterations_;
      lock.unlock();
      job_(member, iterations);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void Dismiss() {
    {
      const std::lock_guard lock(mutex_);
      dismissed_ = true;
    }
    released_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  const Job job_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::condition_variable done_;
  std::uint64_t iterations_ = 0;  // these four are guarded by mutex_
  std::uint64_t batch_ = 0;
  std::size_t busy_ = 0;
  bool dismissed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hvbench::agent::kernels

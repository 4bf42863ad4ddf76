// Where threads may run.
#pragma once

#include <vector>

#include "benchmarks/kernels/support/check.h"
#include "fixtures/agent/affinity.h"

namespace hvbench::agent::kernels {

// The CPUs on which the calling thread may run, ascending: at least one.
inline std::vector<int> KnownCpus() {
  std::vector<int> cpus = AllowedCpus();
  RequireAvailable(cpus.empty() ? -1 : 0, "sched_getaffinity");
  return cpus;
}

// Binds the calling thread. gVisor accepts the call and ignores it.
inline void PinTo(int cpu) { RequireAvailable(RunOn({cpu}) ? 0 : -1, "sched_setaffinity"); }

// Two CPUs for two partners: the same one twice, or two different ones.
struct CpuPair {
  int mine = 0;
  int partners = 0;
};

inline CpuPair OneCpu() {
  const int cpu = KnownCpus().front();
  return {cpu, cpu};
}

// The parameter `cpus`: 1 or 2.
inline CpuPair CpuPairOf(const Context& context) {
  const std::uint64_t wanted = context.Number("cpus");
  if (wanted == 1) return OneCpu();
  if (wanted != 2) throw std::invalid_argument("cpus is neither 1 nor 2");
  const std::vector<int> cpus = KnownCpus();
  if (cpus.size() < 2) throw Unsupported("the guest has one CPU; this needs two");
  return {cpus[0], cpus[1]};
}

// Puts the calling thread and a partner that it makes on their CPUs, and gives the calling thread
// its own back at the end; destroy it on that thread.
class PairPlacement {
 public:
  // `make_partner` makes a thread or a process, which inherits its maker's CPU.
  template <typename MakePartner>
  PairPlacement(CpuPair cpus, MakePartner&& make_partner) : before_(KnownCpus()) {
    try {
      PinTo(cpus.partners);
      make_partner();
      PinTo(cpus.mine);
    } catch (...) {
      Restore();
      throw;
    }
  }
  PairPlacement(const PairPlacement&) = delete;
  PairPlacement& operator=(const PairPlacement&) = delete;
  ~PairPlacement() { Restore(); }

 private:
  void Restore() { RunOn(before_); }

  std::vector<int> before_;
};

}  // namespace hvbench::agent::kernels

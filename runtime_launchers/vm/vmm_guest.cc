#include "runtime_launchers/vm/vmm_guest.h"

#include <chrono>
#include <utility>

#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/page_cache.h"
#include "runtime_launchers/vm/kernel_panic.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// A panic is followed by its call trace and all that the kernel knows of its memory.
constexpr std::size_t kPanicSearchBytes = 64 * kLogTailBytes;
// A process closes its sockets a moment before it can be waited for.
constexpr auto kVmmEndPatience = std::chrono::milliseconds(100);

}  // namespace

VmmGuest::VmmGuest(fs::path binary, const GuestShape& shape, std::int64_t vmm_memory_mib)
    : binary_(std::move(binary)) {
  SetTraits({.memory_mib = shape.memory_mib + vmm_memory_mib, .ram_bytes = shape.memory_mib << 20});
}

void VmmGuest::EvictFromCache(const LaunchRequest& request,
                              const std::vector<fs::path>& images) const {
  if (!request.cold_cache) return;
  EvictProgram(binary_);
  for (const fs::path& image : images) EvictFromPageCache(image);
}

void VmmGuest::SpawnVmm(const LaunchRequest& request, const std::vector<std::string>& command,
                        SpawnOptions options, const fs::path& console_fifo) {
  AdoptCgroup(Cgroup::MakeNew(request.cgroup, {request.shape.host_cpus, traits().memory_mib}));
  BoundedLog& output = AddLog();
  console_ = console_fifo.empty() ? &output : &AddLog(console_fifo);
  options.stdout_fd = output.writer();
  options.stderr_fd = output.writer();
  options.cpus = request.shape.host_cpus;
  options.cgroup_procs = cgroup()->ProcsFiles();
  if (request.network) options.network_namespace = request.network->network_namespace;
  AdoptProcess(Process::Spawn(command, options));
  output.CloseWriter();
}

void VmmGuest::NoteFacts(const std::string& accelerator, const std::string& guest_kernel_release,
                         const std::string& guest_kernel_sha256) {
  AddFacts({{"binary_sha256", Sha256OfFile(binary_)},
            {"accelerator", accelerator},
            {"guest_kernel", "Linux " + guest_kernel_release},
            {"guest_kernel_sha256", guest_kernel_sha256},
            {"limits", "cgroup"}});
}

std::string VmmGuest::WithEnd(const std::string& vmm, std::string error) {
  if (process().pid() > 0) process().Wait(Deadline::In(kVmmEndPatience));
  const std::string reason = process().pid() > 0 ? DeathReason() : "";
  if (!reason.empty() && error.find(reason) == std::string::npos)
    error += "; " + vmm + " " + reason;
  return error + AsQuote(ConsoleTail());
}

std::string VmmGuest::DescribeDeath(const ExitStatus& status) {
  if (!status.success()) return ProcessGuest::DescribeDeath(status);
  const std::string panic = PanicIn(console_->Tail(kPanicSearchBytes));
  if (!panic.empty()) return "guest kernel panicked: " + panic;
  const std::string why = WhyDown();
  return "machine went down" + (why.empty() ? "" : " (" + why + ")");
}

}  // namespace hvbench

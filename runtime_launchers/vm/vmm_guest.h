// What virtual machines have in common whose VMM is one process of the host, and whose Linux boots
// into the agent. A VMM's guest derives from it and adds its command line and its way of steering.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/guest_image.h"
#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/error.h"

namespace hvbench {

class VmmGuest : public ProcessGuest {
 protected:
  // `vmm_memory_mib` is what the VMM may use beyond the memory of its guest.
  VmmGuest(std::filesystem::path binary, const GuestShape& shape, std::int64_t vmm_memory_mib);

  const std::filesystem::path& binary() const { return binary_; }
  BoundedLog& console() { return *console_; }

  // For a boot from a cold cache: the VMM's program and the `images` that it reads are no longer in
  // the host's memory. Does nothing for a request of a warm one.
  void EvictFromCache(const LaunchRequest& request,
                      const std::vector<std::filesystem::path>& images) const;
  // In the guest's own control group, with its CPUs and its network. Standard output and standard
  // error go to a log, which `console_fifo` gets if it is not empty: then what the VMM itself
  // prints goes to a log before it.
  void SpawnVmm(const LaunchRequest& request, const std::vector<std::string>& command,
                SpawnOptions options, const std::filesystem::path& console_fifo = {});
  // Runs `ask`, which talks to the VMM. An Error of it then also says how the VMM ended, if it did,
  // and what it and the guest printed last; Interrupted stays what it is. `vmm` is for people.
  template <typename Ask>
  void AskVmm(const char* vmm, Ask ask) {
    try {
      ask();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw Error(WithEnd(vmm, error.what()));
    }
  }
  // What results say of every virtual machine.
  void NoteFacts(const std::string& accelerator, const std::string& guest_kernel_release,
                 const std::string& guest_kernel_sha256);

  // A machine that went down ends its VMM in order: then the guest's kernel says why, or WhyDown.
  std::string DescribeDeath(const ExitStatus& status) override;
  // What the VMM says of it; "" if it says nothing.
  virtual std::string WhyDown() { return ""; }

 private:
  std::string WithEnd(const std::string& vmm, std::string error);

  std::filesystem::path binary_;
  BoundedLog* console_ = nullptr;  // what the guest's kernel and the agent print
};

}  // namespace hvbench

// A virtual machine of Firecracker: one VMM process, with or without its jailer.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/vm/firecracker_api.h"
#include "runtime_launchers/vm/guest_boot.h"
#include "runtime_launchers/vm/vmm_guest.h"

namespace hvbench {

struct FirecrackerOptions {
  std::filesystem::path binary;
  std::filesystem::path jailer;        // "": without
  std::string version;                 // "1.16.1"
  bool pci = false;                    // virtio devices on a PCI bus, not memory-mapped
  std::string io_engine = "Sync";      // of the disk
  std::vector<std::string> arguments;  // for the VMM, as they are
};

// A machine's state and memory at the moment when its agent waits for a host.
struct FirecrackerSnapshot {
  std::filesystem::path state;
  std::filesystem::path memory;
  std::string guest_kernel_release;
  std::string guest_kernel_sha256;
};

class FirecrackerGuest : public VmmGuest {
 public:
  FirecrackerGuest(FirecrackerOptions options, const LaunchRequest& request);
  ~FirecrackerGuest() override { ForceDown(); }

  void Boot(const LaunchRequest& request, const GuestImage& image);
  // The same with an agent that waits for another host when one is gone, for a snapshot.
  void BootTemplate(const LaunchRequest& request, const GuestImage& image);
  void Restore(const LaunchRequest& request, const FirecrackerSnapshot& snapshot);
  // For a template whose endpoint nobody took: waits for its agent, and leaves the guest paused.
  void SaveTo(const FirecrackerSnapshot& snapshot, Deadline deadline);

  // With what the VMM's metrics say by now, such as how long it took to start.
  std::map<std::string, std::string> Facts() const override;

 protected:
  std::string WhyDown() override { return "guest-reset"; }

 private:
  void BootWith(const LaunchRequest& request, const GuestImage& image,
                const std::string& agent_option);
  // `images` are what the VMM reads to boot.
  void Spawn(const LaunchRequest& request, const std::vector<std::filesystem::path>& images);
  std::vector<std::string> Command() const;
  void MakeRoot();
  // The disk and the network device that the request asks for, and what the agent is told of them.
  void AddDevices(const GuestMachine& as_seen, FirecrackerMachine& machine);
  // Gives the VMM a file under a name in its root folder.
  void Place(const std::filesystem::path& file, const std::string& name, bool writable) const;
  void MakeOwn(const std::filesystem::path& file) const;
  void NoteOwnFacts(const std::string& guest_kernel_release,
                    const std::string& guest_kernel_sha256);

  FirecrackerOptions options_;
  std::filesystem::path root_;  // the VMM's working directory; with a jailer, its root
  std::optional<FirecrackerApi> api_;
};

}  // namespace hvbench

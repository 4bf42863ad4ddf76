// What virtual machines boot from. Launchers ask for it by what their machine needs; how it is made
// and kept is fixtures/images' business.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime_launchers/support/error.h"

namespace hvbench {

struct GuestImage {
  std::filesystem::path guest_kernel;  // as its package has it: a bzImage, or an ELF file
  std::filesystem::path vmlinux;       // the same as an uncompressed ELF file
  // A cpio archive: the agent is /init, and loads /modules/* in the order of their names.
  std::filesystem::path initramfs;
  std::string guest_kernel_release;  // as uname(2) has it in the guest
  std::string guest_kernel_sha256;   // of `guest_kernel`
};

// There is no guest kernel image, or it is of no use; `fix` says what to do about it.
class NoGuestKernel : public Error {
 public:
  NoGuestKernel(const std::string& what, std::string fix) : Error(what), fix_(std::move(fix)) {}
  const std::string& fix() const { return fix_; }

 private:
  std::string fix_;
};

class GuestImageStore {
 public:
  GuestImageStore() = default;
  GuestImageStore(const GuestImageStore&) = delete;
  GuestImageStore& operator=(const GuestImageStore&) = delete;
  virtual ~GuestImageStore() = default;

  // The release of the Linux that guests will get. Reads its header and makes nothing.
  // NoGuestKernel.
  virtual std::string GuestKernelRelease() = 0;

  // `modules` are the drivers of the machine's devices ("virtio_mmio"). What they depend on comes
  // before them, what the guest kernel has built in is left out. The first call for an agent and a
  // set of modules takes about a second, later ones find it. NoGuestKernel, also where the guest
  // kernel lacks one of the modules; Error if the agent cannot be read or the image not be written.
  virtual GuestImage Provide(const std::filesystem::path& agent,
                             const std::vector<std::string>& modules) = 0;
};

}  // namespace hvbench

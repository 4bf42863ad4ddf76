#include "runtime_launchers/vm/guest_disks.h"

namespace hvbench {

std::vector<GuestDisk> GuestDisksOf(const LaunchRequest& request) {
  std::vector<GuestDisk> disks;
  const auto add = [&disks](const std::filesystem::path& file, const char* option, bool has_ext4) {
    if (file.empty()) return;
    const char letter = static_cast<char>('a' + disks.size());
    disks.push_back({file, std::string(option) + "=/dev/vd" + letter, has_ext4});
  };
  add(request.root_image, request.application ? "--application" : "--scratch", /*has_ext4=*/true);
  add(request.disk_image, "--disk", /*has_ext4=*/false);
  return disks;
}

}  // namespace hvbench

#include "tests/integration/mysql/private_root.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace hvbench::agent {
namespace {

namespace fs = std::filesystem;

void Require(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

void BringLoopbackUp() {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{.ifr_ifrn = {.ifrn_name = "lo"}, .ifr_ifru = {.ifru_flags = IFF_UP}};
  const bool up = any >= 0 && ioctl(any, SIOCSIFFLAGS, &request) == 0;
  close(any);
  Require(up, "bring the loopback device up");
}

}  // namespace

std::string PrivateRoot::Problem() {
  if (geteuid() != 0) return "needs root";
  if (access("/usr/sbin/mariadbd", X_OK) != 0) return "mariadb-server is not installed";
  return "";
}

PrivateRoot::PrivateRoot() {
  Require(unshare(CLONE_NEWNS | CLONE_NEWNET) == 0, "make namespaces");
  Require(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "keep mounts private");
  BringLoopbackUp();
  std::string pattern = fs::temp_directory_path() / "hvbench-root-XXXXXX";
  Require(mkdtemp(pattern.data()) != nullptr, "make a temporary directory");
  path_ = pattern;
  fs::permissions(path_, fs::perms(0755));
  for (const char* directory : {"usr", "etc", "proc", "dev", "tmp", "srv", "run"}) {
    fs::create_directory(path_ / directory);
  }
  fs::permissions(path_ / "tmp", fs::perms(01777));
  for (const char* link : {"bin", "sbin", "lib", "lib64"}) {
    fs::create_directory_symlink(fs::path("usr") / link, path_ / link);
  }
  for (const char* file : {"passwd", "group"}) {
    fs::copy_file(fs::path("/etc") / file, path_ / "etc" / file);
  }
  Require(mount("/usr", (path_ / "usr").c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
          "mount /usr");
}

PrivateRoot::~PrivateRoot() {
  umount2((path_ / "usr").c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace hvbench::agent

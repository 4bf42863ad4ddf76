#include "runtime_launchers/support/trusted_path.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <vector>

namespace hvbench {
namespace {

namespace fs = std::filesystem;
using Owners = std::set<uid_t>;

constexpr int kMostLinks = 40;  // as the kernel's
constexpr int kPathFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// As a user names it: "user 1000 (alice)".
std::string UserNamed(uid_t uid) {
  passwd entry = {};
  passwd* found = nullptr;
  std::vector<char> buffer(16 * 1024);
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return "user " + std::to_string(uid) +
         (found != nullptr ? " (" + std::string(found->pw_name) + ")" : "");
}

// A word of a shell's command line.
std::string Quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// Who owns "/" can replace every path there is; in a user namespace that is no longer root.
const Owners& OwnOwners() {
  static const Owners kOwners = [] {
    Owners owners = {0, geteuid()};
    struct stat root = {};
    if (stat("/", &root) == 0) owners.insert(root.st_uid);
    return owners;
  }();
  return kOwners;
}

const Owners& ProgramOwners() {
  static const Owners kOwners = [] {
    Owners owners = OwnOwners();
    const char* const caller = std::getenv("SUDO_UID");
    uid_t uid = 0;
    if (geteuid() == 0 && caller != nullptr &&
        std::from_chars(caller, caller + strlen(caller), uid).ec == std::errc()) {
      owners.insert(uid);
    }
    std::error_code error;
    fs::path self = fs::read_symlink("/proc/self/exe", error);
    for (; !error && self.has_relative_path(); self = self.parent_path()) {
      struct stat status = {};
      if (stat(self.c_str(), &status) == 0) owners.insert(status.st_uid);
    }
    return owners;
  }();
  return kOwners;
}

const Owners& OwnersOf(TrustedOwners owners) {
  return owners == TrustedOwners::kOwn ? OwnOwners() : ProgramOwners();
}

// Whether all members of a group are trusted: users' private groups, and root's.
bool IsHarmless(gid_t gid, const Owners& owners) {
  group entry = {};
  group* found = nullptr;
  std::vector<char> buffer(64 * 1024);
  if (getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return false;
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> users(fopen("/etc/passwd", "re"), fclose);
  if (!users) return false;
  std::set<std::string> trusted;
  while (const passwd* const user = fgetpwent(users.get())) {
    if (owners.contains(user->pw_uid)) {
      trusted.insert(user->pw_name);
    } else if (user->pw_gid == gid) {
      return false;
    }
  }
  for (char** member = found->gr_mem; *member != nullptr; ++member) {
    if (!trusted.contains(*member)) return false;
  }
  return true;
}

// An access control list shows in the group's bits, and may name other groups and users.
bool HasAccessList(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

// Nothing, or what is wrong and how to mend it. `is_last`: of the whole path.
std::string ProblemOf(int fd, const struct stat& status, const fs::path& path, const Owners& owners,
                      bool is_last) {
  const std::string quoted = Quoted(path.string());
  if (!owners.contains(status.st_uid)) {
    return path.string() + " belongs to " + UserNamed(status.st_uid) +
           ", who could replace what hvbench keeps or runs there: chown -h root " + quoted;
  }
  if (S_ISLNK(status.st_mode)) return "";  // its mode means nothing
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0 && !is_last) return "";
  if ((status.st_mode & S_IWOTH) != 0) {
    return path.string() + " is writable for everybody, who could replace what hvbench keeps or " +
           "runs there: chmod go-w " + quoted +
           ((status.st_mode & S_ISVTX) != 0 ? ", or choose a folder in it" : "");
  }
  if ((status.st_mode & S_IWGRP) != 0 &&
      (HasAccessList(fd) || !IsHarmless(status.st_gid, owners))) {
    return path.string() + " is writable for its group, " + std::to_string(status.st_gid) +
           ", which has other members than root and you, or has an access control list: " +
           "chmod g-w " + quoted;
  }
  return "";
}

void Check(int fd, const struct stat& status, const fs::path& path, const Owners& owners,
           bool is_last) {
  const std::string problem = ProblemOf(fd, status, path, owners, is_last);
  if (!problem.empty()) throw UntrustedPath(problem);
}

struct stat StatusOf(const UniqueFd& fd, const fs::path& path) {
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) throw SystemError("cannot look at " + path.string(), errno);
  return status;
}

std::string TargetOf(const UniqueFd& link, const fs::path& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = readlinkat(link.get(), "", target.data(), target.size());
  if (n < 0) throw SystemError("cannot read the link " + path.string(), errno);
  target.resize(static_cast<std::size_t>(n));
  return target;
}

// The way from "/" along the components of a path, each held to the rule.
class Walk {
 public:
  Walk(const Owners& owners, bool make) : owners_(owners), make_(make) {}

  // Where it ends: an O_PATH descriptor; nothing where a component is missing.
  UniqueFd Follow(const fs::path& path) {
    const fs::path absolute = fs::absolute(path);
    pending_.assign(absolute.begin(), absolute.end());
    Restart();
    while (at_ && !pending_.empty()) {
      const std::string name = pending_.front();
      pending_.pop_front();
      if (!name.empty() && name != "." && name != "/") Step(name);
    }
    return std::move(at_);
  }

 private:
  void Restart() {
    where_ = "/";
    at_ = UniqueFd(open("/", kPathFlags | O_DIRECTORY));
    if (!at_) throw SystemError("cannot open /", errno);
    Check(at_.get(), StatusOf(at_, where_), where_, owners_, IsLast());
  }

  // A path may end with a slash, which is an empty component.
  bool IsLast() const {
    return std::all_of(pending_.begin(), pending_.end(),
                       [](const fs::path& name) { return name.empty() || name == "."; });
  }

  void Step(const std::string& name) {
    const fs::path path = name == ".." ? where_.parent_path() : where_ / name;
    UniqueFd next(openat(at_.get(), name.c_str(), kPathFlags));
    if (!next && errno == ENOENT && make_) {
      if (mkdirat(at_.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
        throw SystemError("cannot make the folder " + path.string(), errno);
      }
      next = UniqueFd(openat(at_.get(), name.c_str(), kPathFlags));
    }
    if (!next && !make_ && (errno == ENOENT || errno == ENOTDIR)) {
      at_.Reset();
      return;
    }
    if (!next) throw SystemError("cannot open " + path.string(), errno);
    const struct stat status = StatusOf(next, path);
    Check(next.get(), status, path, owners_, IsLast());
    if (S_ISLNK(status.st_mode)) {
      if (++links_ > kMostLinks) throw SystemError("cannot follow " + path.string(), ELOOP);
      const fs::path target = TargetOf(next, path);
      pending_.insert(pending_.begin(), target.begin(), target.end());
      if (target.is_absolute()) Restart();
      return;
    }
    at_ = std::move(next);
    where_ = path;
  }

  const Owners& owners_;
  bool make_;
  int links_ = 0;
  std::deque<fs::path> pending_;
  fs::path where_;  // without links: where `at_` is
  UniqueFd at_;
};

// For messages: what the descriptor is called.
fs::path NameOf(int dir, const std::string& name) {
  std::error_code error;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(dir), error) / name;
}

}  // namespace

void RequireTrusted(const fs::path& path, TrustedOwners owners) {
  Walk(OwnersOf(owners), /*make=*/false).Follow(path);
}

UniqueFd MakeTrustedDirectory(const fs::path& path) {
  const UniqueFd end = Walk(OwnOwners(), /*make=*/true).Follow(path);
  UniqueFd dir(openat(end.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) throw SystemError("cannot open the folder " + path.string(), errno);
  return dir;
}

UniqueFd OpenDirectoryAt(int dir, const std::string& name) {
  UniqueFd fd(openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) return fd;
  const fs::path path = NameOf(dir, name);
  if (!fd) throw SystemError("cannot open the folder " + path.string(), errno);
  Check(fd.get(), StatusOf(fd, path), path, OwnOwners(), /*is_last=*/true);
  return fd;
}

UniqueFd MakeDirectoryAt(int dir, const std::string& name) {
  if (mkdirat(dir, name.c_str(), 0700) != 0 && errno != EEXIST) {
    throw SystemError("cannot make the folder " + NameOf(dir, name).string(), errno);
  }
  UniqueFd fd = OpenDirectoryAt(dir, name);
  if (!fd) throw SystemError("cannot open the folder " + NameOf(dir, name).string(), ENOENT);
  // One of an earlier hvbench's may be open to readers; what a guest leaves there is not for them.
  if ((StatusOf(fd, name).st_mode & 0777) != 0700 && fchmod(fd.get(), 0700) != 0) {
    throw SystemError("cannot close " + NameOf(dir, name).string() + " to others", errno);
  }
  return fd;
}

UniqueFd OpenFileAt(int dir, const std::string& name, int flags, mode_t mode) {
  // A FIFO must not hold the program up.
  UniqueFd fd(openat(dir, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode));
  if (!fd) return fd;
  const fs::path path = NameOf(dir, name);
  const struct stat status = StatusOf(fd, path);
  if (!S_ISREG(status.st_mode)) throw UntrustedPath(path.string() + " is no regular file");
  Check(fd.get(), status, path, OwnOwners(), /*is_last=*/true);
  return fd;
}

std::string ReadFileAt(int dir, const std::string& name) {
  const UniqueFd file = OpenFileAt(dir, name, O_RDONLY);
  if (!file) throw SystemError("cannot open " + NameOf(dir, name).string(), errno);
  std::string text;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    const ssize_t n = read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw SystemError("cannot read " + NameOf(dir, name).string(), errno);
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void WriteFileAt(int dir, const std::string& name, std::string_view bytes) {
  const std::string unfinished = name + "." + std::to_string(getpid()) + ".tmp";
  const auto fail = [&] {
    const int error = errno;
    unlinkat(dir, unfinished.c_str(), 0);
    throw SystemError("cannot write to " + NameOf(dir, name).string(), error);
  };
  unlinkat(dir, unfinished.c_str(), 0);  // of a killed program with the same number
  UniqueFd file = OpenFileAt(dir, unfinished, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) fail();
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail();
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (close(file.Release()) != 0 || renameat(dir, unfinished.c_str(), dir, name.c_str()) != 0) {
    fail();
  }
}

UniqueFd CopyProgram(const fs::path& program, const fs::path& copy) {
  const auto fail = [&](const fs::path& file, int error) {
    throw SystemError("cannot copy the program " + program.string() + ": " + file.string(), error);
  };
  const UniqueFd from(open(program.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!from || fstat(from.get(), &status) != 0) fail(program, errno);
  const UniqueFd to(open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700));
  if (!to || fchmod(to.get(), 0755) != 0) fail(copy, errno);
  for (off_t left = status.st_size; left > 0;) {
    const ssize_t n = sendfile(to.get(), from.get(), nullptr, static_cast<std::size_t>(left));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(copy, n < 0 ? errno : EIO);  // 0: it was cut off meanwhile
    left -= n;
  }
  // Another descriptor of the same file: one that is open for writing cannot be executed.
  UniqueFd readable(
      open(("/proc/self/fd/" + std::to_string(to.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable) fail(copy, errno);
  return readable;
}

}  // namespace hvbench

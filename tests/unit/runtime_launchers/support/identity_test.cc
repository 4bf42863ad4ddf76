#include "runtime_launchers/support/identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// An id that only this process uses, since tests run beside each other.
const std::string kId = [] {
  const std::string pid = std::to_string(getpid());
  return std::string(64 - pid.size(), 'a') + pid;
}();
const std::string kOtherId = 'b' + kId.substr(1);

// What a NotProved says, or "" if nothing was thrown.
std::string Refusal(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const NotProved& error) {
    return error.what();
  }
}

bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(GuestMark, AContainersIdIsFoundWhole) {
  const GuestMark mark = GuestMark::OfContainer(kId);
  for (const std::string& path :
       {"/docker/" + kId, "/hvbench-1/" + kId, "/hvbench.slice/docker-" + kId + ".scope",
        "/../" + kId + "/below", "/kata_overhead/" + kId, "/hvbench-1/kata_" + kId}) {
    EXPECT_TRUE(mark.IsIn(path)) << path;
  }
  for (const std::string& path :
       {std::string("/"), std::string("/user.slice"), "/docker/" + kOtherId, "/docker/" + kId + "a",
        "/docker/b" + kId, "/docker/" + kId.substr(1), "/docker/" + kId.substr(0, 12)}) {
    EXPECT_FALSE(mark.IsIn(path)) << path;
  }
}

TEST(GuestMark, WhatIsNoContainersIdIsRefused) {
  for (const std::string& id :
       {std::string(), std::string("abc"), std::string("user.slice"), std::string(64, 'A'),
        std::string(64, 'g'), kId + "a", "../" + kId.substr(3), "/" + kId.substr(1)}) {
    EXPECT_THROW(GuestMark::OfContainer(id), Error) << id;
  }
}

TEST(GuestMark, OurOwnGroupIsFoundBelowAnyOther) {
  const GuestMark mark = GuestMark::OfCgroup("/hvbench-12x3/runc-1");
  for (const char* path : {"/hvbench-12x3/runc-1", "/hvbench-12x3/runc-1/sandbox",
                           "/docker/x/hvbench-12x3/runc-1", "/hvbench-12x3/runc-1-launch"}) {
    EXPECT_TRUE(mark.IsIn(path)) << path;
  }
  for (const char* path : {"/", "/hvbench-12x3", "/hvbench-12x3/runc-10", "/hvbench-12x3/runc-2",
                           "/hvbench-12x30/runc-1", "/hvbench-12x3/a/runc-1", "/runc-1"}) {
    EXPECT_FALSE(mark.IsIn(path)) << path;
  }
  for (const char* path : {"", "/", "/user.slice", "/hvbench", "/x-hvbench-1"}) {
    EXPECT_THROW(GuestMark::OfCgroup(path), Error) << path;
  }
}

TEST(Identity, NobodyElsesProcessIsProved) {
  const GuestMark mark = GuestMark::OfCgroup("/hvbench-unit/none");
  const Process bystander = Process::Spawn({"/bin/sleep", "30"}, {});
  const auto refusal = [&](pid_t pid) {
    return Refusal([&] { IdentityProof::OfMember(pid, mark, 0); });
  };
  EXPECT_TRUE(Says(refusal(bystander.pid()), "(sleep)"));
  EXPECT_TRUE(Says(refusal(bystander.pid()), "does not bear the name"));
  EXPECT_TRUE(Says(refusal(getpid()), "this program or one of its ancestors"));
  EXPECT_TRUE(Says(refusal(1), "first one"));
  if (getppid() > 1) {
    EXPECT_TRUE(Says(refusal(getppid()), "this program or one of its ancestors"));
  }
  for (const pid_t nobody : {-1, 0, 1 << 30}) {
    EXPECT_THROW(IdentityProof::OfMember(nobody, mark, 0), ProcessGone) << nobody;
  }
}

TEST(Identity, TheKernelsThreadsAreNobodys) {
  constexpr pid_t kThreadd = 2;
  const auto stat = StatOfProcess(kThreadd);
  if (!stat || !stat->is_kernel_thread) GTEST_SKIP() << "they are not visible here";
  EXPECT_TRUE(
      Says(Refusal([] { IdentityProof::OfMember(kThreadd, GuestMark::OfContainer(kId), 0); }),
           "the kernel's"));
}

TEST(Identity, AnEndedProcessIsGone) {
  Process child = Process::Spawn({"/bin/true"}, {});
  const pid_t pid = child.pid();
  ASSERT_TRUE(WaitReadable(child.pidfd(), Soon(), false));  // not waited for: a zombie
  const GuestMark mark = GuestMark::OfCgroup("/hvbench-unit/none");
  EXPECT_THROW(IdentityProof::OfMember(pid, mark, 0), ProcessGone);
  ASSERT_TRUE(child.Wait(Soon()));
  EXPECT_THROW(IdentityProof::OfMember(pid, mark, 0), ProcessGone);
}

TEST(Identity, AChildOfOursIsOurs) {
  const Process child = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_EQ(IdentityProof::OfOwnChild(child.pid()).pid(), child.pid());
  EXPECT_THROW(IdentityProof::OfOwnChild(getppid()), NotProved);
  EXPECT_THROW(IdentityProof::OfOwnChild(1 << 30), ProcessGone);
}

TEST(Identity, ADescendantIsFoundByItsParents) {
  auto [shell, to, from] = SpawnPiped({"/bin/sh", "-c", "sleep 30 & echo $!; wait"}, {});
  char text[16] = {};
  ASSERT_GT(read(from.get(), text, sizeof text - 1), 0);
  const pid_t grandchild = std::stoi(text);
  EXPECT_EQ(IdentityProof::OfDescendant(grandchild, shell, 0).pid(), grandchild);
  EXPECT_EQ(IdentityProof::OfDescendant(shell.pid(), shell, 0).pid(), shell.pid());
  const Process adopted = Process::Adopt(IdentityProof::OfDescendant(grandchild, shell, 0));
  EXPECT_THROW(IdentityProof::OfDescendant(shell.pid(), adopted, 0), NotProved);
  EXPECT_THROW(IdentityProof::OfDescendant(getppid(), shell, 0), NotProved);
  shell.KillSession();
}

TEST(Identity, AListenerThatIsSeenIsNotForeign) {
  const TemporaryDir dir;
  const fs::path path = dir.path() / "socket";
  EXPECT_FALSE(WhyListenerIsForeign("it", path));
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  EXPECT_FALSE(WhyListenerIsForeign("it", path));
}

// A program that waits under the name of a shim, with arguments of its own.
class ShimTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(bundle_);
    fs::copy_file(fs::canonical("/bin/sh"), shim_);
  }
  Process Start(const fs::path& program, const fs::path& working_dir, const std::string& id) const {
    SpawnOptions options;
    options.working_dir = working_dir;
    Process process = Process::Spawn({program.string(), "-c", "sleep 30; :", "-id", id}, options);
    // A moment after execve(2) has succeeded, it has no command line yet.
    const std::string file = "/proc/" + std::to_string(process.pid()) + "/cmdline";
    for (const Deadline deadline = Soon(); !deadline.Passed();) {
      if (std::ifstream(file).get() != EOF) break;
    }
    return process;
  }
  static std::string Refused(const Process& process, BootTicks not_before = 0,
                             const Process& child = {}) {
    return Refusal([&] { IdentityProof::OfShim(process.pid(), kId, not_before, child); });
  }

  const TemporaryDir dir_;
  const fs::path bundle_ = dir_.path() / kId;
  const fs::path shim_ = dir_.path() / "containerd-shim-test-v2";
};

TEST_F(ShimTest, ItIsKnownByItsProgramItsBundleAndItsAge) {
  const BootTicks before = BootTicksNow();
  const Process shim = Start(shim_, bundle_, kId);
  EXPECT_EQ(Refused(shim, before), "");
  const auto found = FindShim(kId, before, Process());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pid(), shim.pid());
  EXPECT_FALSE(FindShim(kOtherId, before, Process()));
  EXPECT_TRUE(Says(Refused(shim, BootTicksNow() + 1000), "older"));
  EXPECT_FALSE(FindShim(kId, BootTicksNow() + 1000, Process()));
}

TEST_F(ShimTest, ACommandLineAloneProvesNothing) {
  const Process elsewhere = Start(shim_, dir_.path(), kId);
  EXPECT_TRUE(Says(Refused(elsewhere), "bundle"));
  const Process other = Start(shim_, bundle_, kOtherId);
  EXPECT_TRUE(Says(Refused(other), "command line"));
  const fs::path link = dir_.path() / "containerd-shim-link";
  fs::create_symlink("/bin/sh", link);
  const Process another_program = Start(link, bundle_, kId);
  EXPECT_TRUE(Says(Refused(another_program), "another program"));
  EXPECT_FALSE(FindShim(kId, 0, Process()));
}

TEST_F(ShimTest, TheParentOfAProvedProcessNeedsNoBundle) {
  const Process shim = Start(shim_, dir_.path(), kId);
  pid_t child = 0;
  for (const Deadline deadline = Soon(); child == 0 && !deadline.Passed();) {
    for (const pid_t pid : ProcessesNamed("sleep")) {
      if (ParentOfProcess(pid) == shim.pid()) child = pid;
    }
  }
  ASSERT_GT(child, 0);
  const Process known = Process::Adopt(IdentityProof::OfDescendant(child, shim, 0));
  EXPECT_EQ(Refused(shim, 0, known), "");
  const Process another = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_TRUE(Says(Refused(shim, 0, another), "bundle"));
}

// In groups of their own: one of ours, and a bystander's.
class CgroupIdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      guest_ = Cgroup::MakeNew(name_ + "/guest", {});
      Cgroup(bystanders_).Create({});
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override {
    Cgroup(name_).KillAndRemove(Soon());
    for (const fs::path& file : Cgroup(bystanders_).ProcsFiles()) rmdir(file.parent_path().c_str());
  }
  static Process SpawnIn(const std::string& group) {
    SpawnOptions options;
    options.cgroup_procs = Cgroup(group).ProcsFiles();
    return Process::Spawn({"/bin/sleep", "30"}, options);
  }

  const std::string name_ = "/hvbench-unit-" + std::to_string(getpid());
  const std::string bystanders_ = "/bystanders-" + std::to_string(getpid());
  std::optional<Cgroup> guest_;
};

TEST_F(CgroupIdentityTest, AMemberOfTheGuestsGroupIsProved) {
  const GuestMark mark = GuestMark::OfCgroup(name_ + "/guest");
  const BootTicks before = BootTicksNow();
  const Process member = SpawnIn(name_ + "/guest");
  const ProvedProcess proved = IdentityProof::OfMember(member.pid(), mark, before);
  EXPECT_EQ(proved.pid(), member.pid());
  EXPECT_TRUE(IsAlive(proved));
  EXPECT_EQ(Cgroup::OfGuest(proved, mark, before).Processes(), std::vector<pid_t>{member.pid()});
  EXPECT_THROW(IdentityProof::OfMember(member.pid(), GuestMark::OfCgroup(name_ + "/other"), before),
               NotProved);
  EXPECT_TRUE(
      Says(Refusal([&] { IdentityProof::OfMember(member.pid(), mark, BootTicksNow() + 1000); }),
           "older than the guest"));
}

TEST_F(CgroupIdentityTest, AGroupWithOlderMembersIsNotTheGuests) {
  const GuestMark mark = GuestMark::OfCgroup(name_ + "/guest");
  const Process old = SpawnIn(name_ + "/guest");
  Pause(std::chrono::milliseconds(50), false);  // of the clock's 10 ms
  const BootTicks before = BootTicksNow();
  const Process young = SpawnIn(name_ + "/guest");
  const ProvedProcess proved = IdentityProof::OfMember(young.pid(), mark, before);
  EXPECT_TRUE(Says(Refusal([&] { Cgroup::OfGuest(proved, mark, before); }), "older"));
}

TEST_F(CgroupIdentityTest, AGroupOfAnotherNameIsNotTouched) {
  const Cgroup bystanders(bystanders_);
  Process bystander = SpawnIn(bystanders_);
  EXPECT_THROW(bystanders.Freeze(Soon()), NotProved);
  EXPECT_THROW(bystanders.Thaw(Soon()), NotProved);
  EXPECT_THROW(bystanders.KillAndRemove(Soon()), NotProved);
  EXPECT_FALSE(bystander.Wait(Deadline()));
  EXPECT_TRUE(bystanders.Exists());
}

TEST_F(CgroupIdentityTest, AGroupThatWasThereBeforeIsNotTheGuests) {
  const Process member = SpawnIn(name_ + "/guest");
  EXPECT_TRUE(Says(Refusal([&] { Cgroup::MakeNew(name_ + "/guest", {}); }), "was there before"));
  EXPECT_EQ(guest_->Processes(), std::vector<pid_t>{member.pid()});
}

TEST_F(CgroupIdentityTest, AFailedMakeLeavesNothing) {
  EXPECT_THROW(Cgroup::MakeNew(name_ + "/cpu", {{100'000}, 0}), Error);
  EXPECT_FALSE(Cgroup(name_ + "/cpu").Exists());
}

// The one that tries is in the group itself, or its parent is.
TEST_F(CgroupIdentityTest, AGroupWithThisProgramOrAnAncestorIsNotTouched) {
  const std::vector<fs::path> files = guest_->ProcsFiles();
  const auto refused = [&] {
    bool both = true;
    for (const Cgroup& group : {*guest_, Cgroup(name_)}) {
      both = both && !Refusal([&] { group.KillAndRemove(Soon()); }).empty() &&
             !Refusal([&] { group.Freeze(Soon()); }).empty();
    }
    return both;
  };
  const pid_t parent = fork();
  if (parent == 0) {
    for (const fs::path& file : files) {
      const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
      if (write(fd.get(), "0", 1) != 1) _exit(2);
    }
    const bool alone = refused();
    const pid_t child = fork();
    if (child == 0) _exit(refused() ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    _exit(alone && status == 0 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hvbench

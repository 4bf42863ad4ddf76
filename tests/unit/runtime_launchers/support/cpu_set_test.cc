#include "runtime_launchers/support/cpu_set.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

using Cpus = std::vector<int>;

TEST(CpuList, IsReadAndWrittenAsTheKernelDoesIt) {
  for (const auto& [text, cpus] : {std::pair<const char*, Cpus>{"", {}},
                                   {"0", {0}},
                                   {"0-3,8,1100-1101", {0, 1, 2, 3, 8, 1100, 1101}}}) {
    EXPECT_EQ(ParseCpuList(text), cpus) << text;
    EXPECT_EQ(ParseCpuList(std::string(text) + "\n"), cpus) << text;
    EXPECT_EQ(FormatCpuList(cpus), text);
  }
  EXPECT_EQ(ParseCpuList("3,0-1,1"), (Cpus{0, 1, 3}));
  for (const char* text :
       {"a", "1-", "-1", "3-1", "1,,2", "0-3:1/2", "99999999999", "0-999999999"}) {
    EXPECT_EQ(ParseCpuList(text), std::nullopt) << text;
  }
}

// Its longest list fits into a page, which is what the files of a cpuset take.
TEST(CpuList, IsShortForALargeMachine) {
  Cpus all;
  for (int cpu = 0; cpu < 8192; ++cpu) all.push_back(cpu);
  EXPECT_EQ(FormatCpuList(all), "0-8191");
}

// The kernel of a machine that could have 2048 CPUs, of which 0, 7 and 1100 are allowed.
TEST(AllowedCpus, AreFoundOnAMachineWithMoreThanACpuSetHas) {
  const auto get = [](pid_t, std::size_t bytes, cpu_set_t* set) {
    if (bytes * 8 < 2048) {
      errno = EINVAL;
      return -1;
    }
    for (const std::size_t cpu : {0UL, 7UL, 1100UL}) CPU_SET_S(cpu, bytes, set);
    return 0;
  };
  EXPECT_EQ(AllowedCpus(0, get), (Cpus{0, 7, 1100}));
  const auto denied = [](pid_t, std::size_t, cpu_set_t*) {
    errno = EPERM;
    return -1;
  };
  EXPECT_EQ(AllowedCpus(0, denied), Cpus{});
  const auto never_enough = [](pid_t, std::size_t, cpu_set_t*) {
    errno = EINVAL;
    return -1;
  };
  EXPECT_EQ(AllowedCpus(0, never_enough), Cpus{});
}

TEST(CpuSet, HoldsCpusBeyondThoseOfACpuSetT) {
  const Cpus allowed = AllowedCpus();
  ASSERT_FALSE(allowed.empty());
  // The kernel takes those that it has.
  SpawnOptions options;
  options.cpus = {allowed.front(), 1100};
  const CommandResult result =
      RunCommand({"/bin/grep", "Cpus_allowed_list", "/proc/self/status"}, options,
                 Deadline::In(std::chrono::seconds(10)), /*interruptible=*/false);
  EXPECT_EQ(result.output, "Cpus_allowed_list:\t" + std::to_string(allowed.front()) + "\n");
  if (allowed.back() < 1100) {
    EXPECT_FALSE(CpuSet({1100}).Apply(0)) << "a CPU that is not there";
  }
}

}  // namespace
}  // namespace hvbench

#include "benchmarks/results/result_checks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/process_state.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

std::vector<std::string> KindsOf(const std::vector<Warning>& warnings) {
  std::vector<std::string> kinds;
  for (const Warning& warning : warnings) {
    kinds.emplace_back(warning.kind);
    EXPECT_FALSE(warning.text.empty() || warning.advice.empty());
  }
  return kinds;
}

std::vector<std::string> Check(const std::vector<double>& native, const std::vector<double>& runc) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:native", native, -1).Add("cpu/a/runtime:runc", runc, -11);
  return KindsOf(CheckResults(sample.File().results, "native"));
}

using Kinds = std::vector<std::string>;

TEST(CheckResults, FindsNoiseAndWhatIsTooGood) {
  EXPECT_EQ(Check({100, 101, 99}, {102, 101, 103}), Kinds());
  EXPECT_EQ(Check({100, 101, 99}, {100, 160, 130}), Kinds({"noisy_results"}));
  EXPECT_EQ(Check({100, 101, 99}, {80, 80.1, 79.9}), Kinds({"faster_than_baseline"}));
  EXPECT_EQ(Check({100, 120, 100}, {10, 12, 10}), (Kinds{"noisy_results", "faster_than_baseline"}));
}

TEST(CheckResults, CallsNothingTooGoodAfterOneBoot) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:native", {100, 101, 99}, 1);
  sample.Add("cpu/a/runtime:runc", {80, 80.1, 79.9}, 2);
  EXPECT_EQ(KindsOf(CheckResults(sample.File().results, "native")), Kinds());
}

TEST(CheckResults, FindsWhatMeasuredThePeer) {
  Results results;
  const auto add = [&](const std::string& runtime, const char* counter, double percent) {
    Sample sample;
    sample.real_ns = sample.value = 100;
    sample.counters[counter] = percent;
    results.AddSample("network/a", runtime, sample);
  };
  add("native", kPeerBusyCounter, 97);
  add("runc", kPeerBusyCounter, 89);
  add("docker", kLoadBusyCounter, 95);
  const std::vector<Warning> warnings = CheckResults(results, "native");
  ASSERT_EQ(KindsOf(warnings), Kinds({"peer_is_the_limit"}));
  EXPECT_NE(warnings[0].text.find("runtime:native"), std::string::npos);
  EXPECT_NE(warnings[0].text.find("runtime:docker"), std::string::npos);
  EXPECT_EQ(warnings[0].text.find("runtime:runc"), std::string::npos);
}

std::map<std::string, std::string> Context() {
  std::map<std::string, std::string> context = {
      {"guest_vcpus", "1"}, {"guest_memory_mib", "512"}, {"process_state", StatedProcessState()}};
  for (const std::string runtime : {"native", "runc"}) {
    const std::string prefix = "runtime." + runtime + ".guest.";
    context[prefix + "vcpus"] = "1";
    context[prefix + "memory_mib"] = "480";
    context[prefix + "clock"] = "CLOCK_MONOTONIC_RAW";
    context[prefix + "cpu_flags"] = "fpu sse avx2";
  }
  return context;
}

TEST(CheckFairness, IsSilentWhereGuestsAreEqual) {
  EXPECT_EQ(KindsOf(CheckFairness(Context(), "native")), Kinds());
}

// A virtual machine's own clock beside the host's counter: neither is slewed.
TEST(CheckFairness, CallsClocksThatAreBothRightEqual) {
  auto context = Context();
  context["runtime.native.guest.clock"] = "TSC";
  EXPECT_EQ(KindsOf(CheckFairness(context, "native")), Kinds());
}

TEST(CheckFairness, SaysThatTheRootIsOnAnotherFileSystem) {
  auto context = Context();
  context["runtime.runc.root_file_system"] = "another";
  context["runtime.runc.docker_root_dir"] = "/data/docker";
  const auto warnings = CheckFairness(context, "native");
  ASSERT_EQ(KindsOf(warnings), Kinds({"unequal_guests"}));
  EXPECT_NE(warnings[0].text.find("target:root on another file system (/data/docker)"),
            std::string::npos);
}

TEST(CheckFairness, SaysWhatDiffers) {
  const struct {
    const char* key;
    const char* value;
    const char* says;
  } cases[] = {{"vcpus", "2", "runc sees 2 CPUs instead of 1"},
               {"memory_mib", "128", "runc sees 128 MiB of memory instead of 512"},
               {"clock", "CLOCK_MONOTONIC", "runc has the clock CLOCK_MONOTONIC"},
               {"cpu_flags", "fpu sse", "runc does not see 1 CPU flags (avx2)"},
               {"process_state", "umask:0022 limit_memlock:0:0",
                "runc has limit_memlock:0:0 instead of limit_memlock:"}};
  for (const auto& c : cases) {
    auto context = Context();
    context[std::string("runtime.runc.guest.") + c.key] = c.value;
    const auto warnings = CheckFairness(context, "native");
    ASSERT_EQ(KindsOf(warnings), Kinds({"unequal_guests"})) << c.key;
    EXPECT_NE(warnings[0].text.find(c.says), std::string::npos) << warnings[0].text;
  }
}

TEST(ResultWarningKinds, HaveNamesOfTheirOwnAndAreDocumented) {
  std::ifstream file(HVBENCH_SOURCE_DIR "/docs/warnings.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::set<std::string> names;
  int kinds = 0;
  for (; NameOf(static_cast<ResultWarningKind>(kinds)) != "unknown"; ++kinds) {
    const std::string name(NameOf(static_cast<ResultWarningKind>(kinds)));
    names.insert(name);
    EXPECT_NE(text.find("\n| `" + name + "` |"), std::string::npos) << name;
  }
  EXPECT_EQ(kinds, 4);
  EXPECT_EQ(names.size(), 4u);
}

}  // namespace
}  // namespace hvbench

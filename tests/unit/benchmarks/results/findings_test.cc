#include "benchmarks/results/findings.h"
#include "benchmarks/report/findings_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

constexpr int kPtrace = 4;  // a trivial system call: 29 times native on ptrace, from 14.5 to 58

FindingResult Find(const SampleFile& sample, int number) {
  for (FindingResult& finding : JudgeFindings(sample.File())) {
    if (finding.number == number) return finding;
  }
  ADD_FAILURE() << "there is no finding " << number;
  return {};
}

SampleFile WithPtrace(const std::vector<double>& times_ns) {
  SampleFile sample;
  sample.Add("syscall/getppid/runtime:native", {100, 101, 99}, -1);
  sample.Add("syscall/getppid/runtime:gvisor-ptrace", times_ns, -11);
  return sample;
}

TEST(Findings, AreJudgedByTheInterval) {
  const struct {
    std::vector<double> times_ns;
    FindingStatus status;
  } cases[] = {{{2900, 2950, 2850}, FindingStatus::kConfirmed},
               {{400, 401, 399}, FindingStatus::kRefuted},
               {{9000, 9001, 8999}, FindingStatus::kRefuted},
               {{1450, 1500, 1400}, FindingStatus::kUndecided},
               {{2900}, FindingStatus::kUndecided}};
  for (const auto& c : cases) {
    const FindingResult finding = Find(WithPtrace(c.times_ns), kPtrace);
    EXPECT_EQ(NameOf(finding.status), NameOf(c.status)) << c.times_ns[0];
  }
}

TEST(Findings, AreNotDecidedByOneBoot) {
  SampleFile sample;
  sample.Add("syscall/getppid/runtime:native", {100, 101, 99}, 1);
  sample.Add("syscall/getppid/runtime:gvisor-ptrace", {400, 401, 399}, 2);
  EXPECT_EQ(Find(sample, kPtrace).status, FindingStatus::kUndecided);
  EXPECT_EQ(Find(sample, kPtrace).claims.at(1).why, "one boot a side: there is no interval");
}

TEST(Findings, ShowWhatWasMeasured) {
  const FindingResult finding = Find(WithPtrace({2900, 2950, 2850}), kPtrace);
  const auto claim =
      std::find_if(finding.claims.begin(), finding.claims.end(),
                   [](const ClaimResult& c) { return c.runtime == "gvisor-ptrace"; });
  ASSERT_NE(claim, finding.claims.end());
  ASSERT_TRUE(claim->measured.has_value());
  EXPECT_NEAR(claim->measured->ratio, 29, 0.5);
  EXPECT_EQ(claim->kernels, std::vector<std::string>{"syscall/getppid"});
}

TEST(Findings, AreNotMeasuredWithoutTheRuntime) {
  SampleFile sample;
  sample.Add("syscall/getppid/runtime:native", {100, 101, 99});
  for (const FindingResult& finding : JudgeFindings(sample.File())) {
    EXPECT_EQ(finding.status, FindingStatus::kNotMeasured) << finding.number;
  }
}

TEST(Findings, AreNotDecidedByEmulation) {
  SampleFile sample = WithPtrace({2900, 2950, 2850});
  sample.Context("runtime.gvisor-ptrace.accelerator", "tcg");
  EXPECT_EQ(Find(sample, kPtrace).status, FindingStatus::kNotMeasured);
  EXPECT_EQ(Find(sample, kPtrace).claims.at(1).why, "emulated");
}

TEST(Findings, CanBeOfAnotherQuantityThanTime) {
  SampleFile sample;
  int boot = 0;
  for (const char* runtime : {"runc", "gvisor"}) {
    for (const double p90_ns : {100.0, 101.0, 99.0}) {
      sample.Add("network/tcp_rr/request_bytes:1/response_bytes:1/runtime:" + std::string(runtime),
                 {5000}, ++boot);
      sample.Counter("p90_ns", std::string(runtime) == "runc" ? p90_ns : 3.5 * p90_ns);
    }
  }
  EXPECT_EQ(Find(sample, 12).status, FindingStatus::kConfirmed);
}

TEST(Findings, HaveAllThatAReaderNeeds) {
  std::set<int> numbers;
  for (const FindingResult& finding : JudgeFindings(SampleFile().File())) {
    EXPECT_TRUE(numbers.insert(finding.number).second) << finding.number;
    EXPECT_FALSE(finding.statement.empty() || finding.source.empty() || finding.subsystem.empty());
    EXPECT_FALSE(finding.claims.empty()) << finding.number;
    EXPECT_TRUE(
        std::set<std::string>({"primary", "secondary", "hypothesis"}).contains(finding.grade));
    for (const ClaimResult& claim : finding.claims) {
      EXPECT_NE(claim.expected, "at least 0") << "a claim that nothing can refute";
    }
  }
  EXPECT_EQ(numbers.size(), 17u);
}

TEST(PrintFindings, NamesTheStatusInEveryForm) {
  const auto findings = JudgeFindings(WithPtrace({2900, 2950, 2850}).File());
  for (const char* format : {"text", "markdown", "json"}) {
    std::ostringstream out;
    PrintFindings(findings, format, out);
    EXPECT_NE(out.str().find("confirmed"), std::string::npos) << format;
    EXPECT_NE(out.str().find("not measured here"), std::string::npos) << format;
  }
}

}  // namespace
}  // namespace hvbench

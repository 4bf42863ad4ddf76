#include "benchmarks/report/compare_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_results.h"
#include "tests/unit/fixtures/support/temporary_dir.h"

namespace hvbench {
namespace {

using testing::SampleFile;

constexpr char kGetppid[] = "syscall/getppid/runtime:runc";

struct Compared {
  CompareFilesStatus status{};
  std::string out;
  std::string err;
};

class CompareFilesTest : public ::testing::Test {
 protected:
  Compared Run(const SampleFile& a, const SampleFile& b) {
    options_.baseline = dir_.path() / "a.json";
    options_.other = dir_.path() / "b.json";
    std::ofstream(options_.baseline) << a.Text();
    std::ofstream(options_.other) << b.Text();
    std::ostringstream out;
    std::ostringstream err;
    const CompareFilesStatus status = CompareFiles(options_, out, err);
    return {status, out.str(), err.str()};
  }

  CompareFilesOptions options_;

 private:
  testing::TemporaryDir dir_;
};

SampleFile Base() {
  SampleFile sample;
  sample.Add("cpu/primes/runtime:runc", {1000, 1010, 990}, -1);
  sample.Add(kGetppid, {100, 101, 99}, -1);
  return sample;
}

SampleFile WithGetppid(const std::vector<double>& times_ns) {
  SampleFile sample;
  sample.Add("cpu/primes/runtime:runc", {1000, 1010, 990}, -1).Add(kGetppid, times_ns, -1);
  return sample;
}

SampleFile OfBoots(int count) {
  SampleFile sample;
  for (int boot = 1; boot <= count; ++boot) sample.Add(kGetppid, {100.0 + boot % 3}, boot);
  return sample;
}

// And the size of a difference that would have been found stands beside it.
TEST_F(CompareFilesTest, IdenticalFilesAreEqual) {
  options_.format = "json";
  const Compared compared = Run(OfBoots(29), OfBoots(29));
  EXPECT_EQ(compared.status, CompareFilesStatus::kNoRegression);
  EXPECT_EQ(compared.err, "");
  const Json row = Json::parse(compared.out).at("benchmarks").at(0);
  EXPECT_EQ(row.at("verdict"), "no difference found");
  EXPECT_GT(row.at("detectable"), 1.01);
  EXPECT_LT(row.at("detectable"), 1.05);
  EXPECT_LE(row.at("median").at("low"), 1);
  EXPECT_GE(row.at("median").at("high"), 1);
  options_.format = "text";
  EXPECT_NE(Run(OfBoots(29), OfBoots(29)).out.find("no difference found"), std::string::npos);
}

// One boot of ten may be slow, and seven may all be of the others.
TEST_F(CompareFilesTest, FewBootsAreNotCalledEqual) {
  options_.format = "json";
  const Json json = Json::parse(Run(OfBoots(7), OfBoots(7)).out);
  EXPECT_EQ(json.at("benchmarks").at(0).at("verdict"), "too few boots");
}

TEST_F(CompareFilesTest, HasAMeanOfWhatAllRuntimesHave) {
  options_.format = "json";
  SampleFile sample = Base();
  sample.Add("cpu/sort/runtime:runc", {10, 10, 10}, -1);
  sample.Add("cpu/sort/runtime:crun", {10, 10, 10}, -11);
  const Json mean =
      Json::parse(Run(sample, sample).out).at("geometric_means").at("cpu/runtime:runc");
  EXPECT_EQ(mean.at("benchmarks"), 1) << "crun has no primes";
  EXPECT_EQ(mean.at("of"), 2);
  EXPECT_EQ(mean.at("highest"), 1);
}

TEST_F(CompareFilesTest, ARegressionIsNamed) {
  const Compared compared = Run(Base(), WithGetppid({200, 202, 198}));
  EXPECT_EQ(compared.status, CompareFilesStatus::kRegression);
  EXPECT_NE(compared.err.find(std::string("regression: ") + kGetppid), std::string::npos)
      << compared.err;
  EXPECT_EQ(compared.err.find("primes"), std::string::npos) << compared.err;
}

TEST_F(CompareFilesTest, AnImprovementIsNone) {
  EXPECT_EQ(Run(Base(), WithGetppid({50, 51, 49})).status, CompareFilesStatus::kNoRegression);
}

TEST_F(CompareFilesTest, WhatIsBelowTheThresholdIsNone) {
  const SampleFile slower = WithGetppid({110, 110.1, 109.9});
  EXPECT_EQ(Run(WithGetppid({100, 100.1, 99.9}), slower).status, CompareFilesStatus::kRegression);
  options_.threshold_percent = 15;
  EXPECT_EQ(Run(WithGetppid({100, 100.1, 99.9}), slower).status, CompareFilesStatus::kNoRegression);
}

TEST_F(CompareFilesTest, NoiseIsNone) {
  EXPECT_EQ(Run(Base(), WithGetppid({90, 130, 110})).status, CompareFilesStatus::kNoRegression);
}

// Boots may differ by that: it is neither a regression, nor a success.
TEST_F(CompareFilesTest, OneBootDecidesNothing) {
  SampleFile a;
  SampleFile b;
  a.Add(kGetppid, {100, 101, 99}, 1);
  b.Add(kGetppid, {200, 201, 199}, 1);
  for (const Compared& compared : {Run(a, b), Run(b, a)}) {
    EXPECT_EQ(compared.status, CompareFilesStatus::kNothingDecided);
    EXPECT_NE(compared.out.find("one boot"), std::string::npos) << compared.out;
    EXPECT_EQ(compared.out.find("["), std::string::npos) << compared.out;
    EXPECT_NE(compared.err.find("nothing is decided"), std::string::npos) << compared.err;
  }
}

TEST_F(CompareFilesTest, ABenchmarkThatBrokeIsARegression) {
  SampleFile broken;
  broken.Add("cpu/primes/runtime:runc", {1000, 1010, 990}).Fail(kGetppid, "ERROR: it died");
  const Compared compared = Run(Base(), broken);
  EXPECT_EQ(compared.status, CompareFilesStatus::kRegression);
  EXPECT_NE(compared.err.find("it died"), std::string::npos) << compared.err;
}

TEST_F(CompareFilesTest, ASkippedOneIsMentioned) {
  SampleFile skipped;
  skipped.Add("cpu/primes/runtime:runc", {1000, 1010, 990}, -1).Fail(kGetppid, "SKIPPED: denied");
  const Compared compared = Run(Base(), skipped);
  EXPECT_EQ(compared.status, CompareFilesStatus::kNoRegression);
  EXPECT_NE(compared.out.find("denied"), std::string::npos) << compared.out;
}

TEST_F(CompareFilesTest, FilesOfDifferentMachinesAreRefused) {
  const struct {
    const char* key;
    const char* value;
  } cases[] = {{"host_name", "another"},
               {"host_cpu_model", "B CPU"},
               {"host_virtualization", "nested"},
               {"guest_vcpus", "2"},
               {"runtime.runc.accelerator", "tcg"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.key);
    options_.allow_mismatch = false;
    SampleFile other = Base();
    other.Context(c.key, c.value);
    const Compared refused = Run(Base(), other);
    EXPECT_EQ(refused.status, CompareFilesStatus::kNotComparable);
    EXPECT_EQ(refused.out, "");
    EXPECT_NE(refused.err.find(c.value), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("--allow-mismatch"), std::string::npos);
    options_.allow_mismatch = true;
    EXPECT_EQ(Run(Base(), other).status, CompareFilesStatus::kNoRegression);
  }
}

TEST_F(CompareFilesTest, FilesOfDifferentServersAreRefused) {
  const auto with = [](const std::string& server, const std::string& version) {
    return Base()
        .Context("applications.id", version)
        .Context("applications.nginx-light", "1.22")
        .Context("applications." + server, version);
  };
  const SampleFile mariadb = with("mariadb-server-core", "10.11.6");
  const Compared refused = Run(mariadb, with("mysql-server-core-8.0", "8.0.36"));
  EXPECT_EQ(refused.status, CompareFilesStatus::kNotComparable);
  EXPECT_NE(refused.err.find("the servers differ: mariadb-server-core, nginx-light and "
                             "mysql-server-core-8.0, nginx-light"),
            std::string::npos)
      << refused.err;
  EXPECT_EQ(Run(mariadb, with("mariadb-server-core", "10.11.8")).status,
            CompareFilesStatus::kNoRegression);
  EXPECT_EQ(Run(mariadb, Base()).status, CompareFilesStatus::kNoRegression) << "without servers";
}

TEST_F(CompareFilesTest, NothingInCommonIsSaid) {
  SampleFile other;
  other.Add("cpu/sort/runtime:runc", {1, 2, 3});
  EXPECT_EQ(Run(Base(), other).status, CompareFilesStatus::kNothingInCommon);
}

TEST_F(CompareFilesTest, BootsAreTheUnitWhereTheFilesSay) {
  options_.format = "json";
  SampleFile a;
  SampleFile b;
  a.Add(kGetppid, {100, 101, 99, 100}, -1);
  b.Add(kGetppid, {103, 104, 102, 103}, -1);
  const auto row = nlohmann::json::parse(Run(a, b).out).at("benchmarks").at(0);
  EXPECT_EQ(row.at("sampling_unit"), "boot");
  EXPECT_EQ(row.at("units"), 4);
  EXPECT_EQ(row.at("verdict"), "slower");
  EXPECT_NEAR(row.at("ratio").get<double>(), 1.03, 1e-3);
}

// Three boots a side, in which the time is the same and `counter` is about `value`.
SampleFile WithCounter(const std::string& counter, double value) {
  SampleFile sample;
  for (int boot = 1; boot <= 3; ++boot) {
    sample.Add(kGetppid, {100}, boot).Counter(counter, value * (1 + 0.001 * boot));
  }
  return sample;
}

TEST_F(CompareFilesTest, CanCompareACounter) {
  const SampleFile a = WithCounter("host_cpu_ns", 50);
  const SampleFile b = WithCounter("host_cpu_ns", 150);
  EXPECT_EQ(Run(a, b).status, CompareFilesStatus::kNoRegression);
  options_.quantity = "host_cpu_ns";
  EXPECT_EQ(Run(a, b).status, CompareFilesStatus::kRegression);
  options_.quantity = "p99_ns";
  EXPECT_EQ(Run(a, b).status, CompareFilesStatus::kNothingInCommon);
}

TEST_F(CompareFilesTest, AHigherRateIsNoRegression) {
  options_.quantity = "bytes_per_second";
  const SampleFile slow = WithCounter("bytes_per_second", 1e9);
  const SampleFile fast = WithCounter("bytes_per_second", 2e9);
  const Compared better = Run(slow, fast);
  EXPECT_EQ(better.status, CompareFilesStatus::kNoRegression) << better.err;
  for (const char* text : {"1 GB/s", "2 GB/s", "faster", "more is better"}) {
    EXPECT_NE(better.out.find(text), std::string::npos) << text << " in\n" << better.out;
  }
  EXPECT_EQ(better.out.find(" s "), std::string::npos) << "a rate is no time\n" << better.out;
  const Compared worse = Run(fast, slow);
  EXPECT_EQ(worse.status, CompareFilesStatus::kRegression);
  EXPECT_NE(worse.out.find("slower"), std::string::npos) << worse.out;
  EXPECT_NE(worse.err.find("times the bytes_per_second"), std::string::npos) << worse.err;
}

TEST_F(CompareFilesTest, MemoryIsPrintedAsMemory) {
  options_.quantity = "pss_bytes";
  const Compared compared =
      Run(WithCounter("pss_bytes", 50 << 20), WithCounter("pss_bytes", 100 << 20));
  EXPECT_EQ(compared.status, CompareFilesStatus::kRegression);
  for (const char* text : {"50.1 MiB", "100 MiB", "higher", "less is better"}) {
    EXPECT_NE(compared.out.find(text), std::string::npos) << text << " in\n" << compared.out;
  }
}

TEST_F(CompareFilesTest, WhatHasNoGoodDirectionHasNoRegression) {
  options_.quantity = "host_io_ratio";
  options_.format = "json";
  const Compared compared = Run(WithCounter("host_io_ratio", 0.5), WithCounter("host_io_ratio", 1));
  EXPECT_EQ(compared.status, CompareFilesStatus::kNoRegression) << compared.err;
  const Json json = Json::parse(compared.out);
  EXPECT_EQ(json.at("quantity"), "host_io_ratio");
  EXPECT_EQ(json.at("better"), "neither");
  EXPECT_EQ(json.at("unit"), "");
  EXPECT_EQ(json.at("benchmarks").at(0).at("verdict"), "higher");
}

TEST_F(CompareFilesTest, HasMarkdown) {
  options_.format = "markdown";
  EXPECT_NE(Run(Base(), Base()).out.find("|---:|"), std::string::npos);
}

}  // namespace
}  // namespace hvbench

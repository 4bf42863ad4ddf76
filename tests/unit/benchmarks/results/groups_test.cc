#include "benchmarks/results/groups.h"

#include <gtest/gtest.h>

#include <map>

#include "benchmarks/results/summary.h"
#include "fixtures/runtime_fixture.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

// The groups and their common benchmarks.
std::map<std::string, std::vector<std::string>> CommonOf(const SampleFile& sample) {
  const ResultFile file = sample.File();
  std::map<std::string, std::vector<std::string>> common;
  for (const Group& group : GroupsOf({&file.results})) common[group.name] = group.common;
  return common;
}

using Common = std::map<std::string, std::vector<std::string>>;

TEST(Groups, KeepUnlikeThingsApart) {
  SampleFile sample;
  for (const char* kernel :
       {"network/tcp_rr/request_bytes:1", "network/tcp_stream/direction:up", "network/loopback_udp",
        "network/udp/direction:up/rate:lossless", "network/udp/direction:up/rate:5000",
        "startup/boot/cache:warm", "startup/first_touch/pages:4k",
        "memory/stream_add/array_mib:128", "memory/pointer_chase/working_set_kib:16",
        "syscall/stat", "mine/own"}) {
    sample.Add(std::string(kernel) + "/runtime:native", {1});
  }
  EXPECT_EQ(CommonOf(sample),
            (Common{{"network latency", {"network/tcp_rr/request_bytes:1"}},
                    {"network throughput",
                     {"network/tcp_stream/direction:up", "network/udp/direction:up/rate:lossless"}},
                    {"network at a rate", {"network/udp/direction:up/rate:5000"}},
                    {"startup", {"startup/boot/cache:warm"}},
                    {"startup memory touched first", {"startup/first_touch/pages:4k"}},
                    {"network loopback throughput", {"network/loopback_udp"}},
                    {"memory bandwidth", {"memory/stream_add/array_mib:128"}},
                    {"memory latency", {"memory/pointer_chase/working_set_kib:16"}},
                    {"syscall", {"syscall/stat"}},
                    {"mine", {"mine/own"}}}));
}

// A mean of one runtime over easy benchmarks beside another's over hard ones says nothing.
TEST(Groups, AverageWhatAllRuntimesHave) {
  SampleFile sample;
  for (const char* runtime : {"native", "runc", "gvisor"}) {
    sample.Add(std::string("cpu/easy/runtime:") + runtime, {100, 100}, -1);
    if (std::string(runtime) != "gvisor") {
      sample.Add(std::string("cpu/hard/runtime:") + runtime, {100, 100}, -1);
    }
  }
  sample.Fail("cpu/hard/runtime:gvisor", "SKIPPED: denied");
  // A runtime that measured nothing of the group takes nothing from the others.
  sample.Fail("cpu/easy/runtime:kata", "SKIPPED: none");
  EXPECT_EQ(CommonOf(sample), (Common{{"cpu", {"cpu/easy"}}}));
}

TEST(Groups, KeepDisksAndCachesApart) {
  SampleFile sample;
  const auto add = [&](const std::string& kernel, double native, double other) {
    sample.Add(kernel + "/runtime:native", {100}).Counter(kHostIoCounter, native);
    sample.Add(kernel + "/runtime:other", {100}).Counter(kHostIoCounter, other);
  };
  add("disk/randread/block_kib:4/depth:1/jobs:1/direct:1", 1, 0.98);
  add("disk/randread/block_kib:4/depth:1/jobs:1/direct:0", 0, 0.1);
  add("disk/randread/block_kib:4/depth:32/jobs:1/direct:1", 1, 0.02);
  EXPECT_EQ(CommonOf(sample),
            (Common{{"disk latency (disk)", {"disk/randread/block_kib:4/depth:1/jobs:1/direct:1"}},
                    {"disk latency (cache)", {"disk/randread/block_kib:4/depth:1/jobs:1/direct:0"}},
                    {"disk throughput (disk or cache)", {}}}));
}

}  // namespace
}  // namespace hvbench

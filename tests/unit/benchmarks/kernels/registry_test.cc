// The registry of kernels, and what a kernel is given.
#include <gtest/gtest.h>

#include <cerrno>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent {
namespace {

class Nothing : public Kernel {
 public:
  void Run(std::uint64_t) override {}
  void Verify() override {}
};

HVBENCH_KERNEL(Nothing, .name = "test/nothing", .summary = "does nothing", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {{"size_kib", "4"}}}});

KernelSpec ValidSpec() {
  return {.name = "test/valid",
          .summary = "a summary",
          .unit = "call",
          .parameter_sets = {{kSmoke | kReal, {{"key", "value"}}}},
          .make = []() -> std::unique_ptr<Kernel> { return std::make_unique<Nothing>(); }};
}

// Registers a spec after `spoil` changed it; expects the program to die with a message.
template <typename Spoil>
void ExpectRefused(Spoil&& spoil, const char* message) {
  KernelSpec spec = ValidSpec();
  spoil(spec);
  EXPECT_DEATH(RegisterKernel(spec), message);
}

// Before any test calls AllKernels, which seals the registry: GoogleTest runs death tests first.
TEST(RegistryDeathTest, RefusesMalformedSpecs) {
  ExpectRefused([](KernelSpec& s) { s.name = "test/nothing"; }, "name is taken");
  ExpectRefused([](KernelSpec& s) { s.name = "nothing"; }, "<subsystem>/<kernel>");
  ExpectRefused([](KernelSpec& s) { s.name = "test/a/b"; }, "<subsystem>/<kernel>");
  ExpectRefused([](KernelSpec& s) { s.name = "test/Upper"; }, "<subsystem>/<kernel>");
  ExpectRefused([](KernelSpec& s) { s.name = "/kernel"; }, "<subsystem>/<kernel>");
  ExpectRefused([](KernelSpec& s) { s.summary = "two\nlines"; }, "one line");
  ExpectRefused([](KernelSpec& s) { s.unit.clear(); }, "no unit");
  ExpectRefused([](KernelSpec& s) { s.make = nullptr; }, "no factory");
}

TEST(RegistryDeathTest, RefusesMalformedParameterSets) {
  const auto with = [](const std::vector<protocol::ParameterSet>& sets) {
    return [sets](KernelSpec& spec) { spec.parameter_sets = sets; };
  };
  ExpectRefused(with({}), "a profile has no parameter set");
  ExpectRefused(with({{kReal, {}}}), "a profile has no parameter set");
  ExpectRefused(with({{kSmoke | kReal, {}}, {kFull, {}}}), "the same parameters twice");
  ExpectRefused(with({{0, {}}}), "no profile");
  ExpectRefused(with({{32, {}}}), "no profile");
  ExpectRefused(with({{kSmoke | kReal, {}, 0}}), "keeps no CPU busy");
  ExpectRefused(with({{kSmoke | kReal, {{"runtime", "native"}}}}), "reserved");
  ExpectRefused(with({{kSmoke | kReal, {{"key", "a/b"}}}}), "cannot stand in");
  ExpectRefused(with({{kSmoke | kReal, {{"key", ""}}}}), "cannot stand in");
  ExpectRefused(with({{kSmoke | kReal, {{"key", "1"}, {"key", "2"}}}}), "occurs twice");
}

TEST(RegistryDeathTest, RefusesApplicationsThatTheHostCannotUse) {
  ExpectRefused(
      [](KernelSpec& s) {
        s.needs = protocol::kApplication;
        s.parameter_sets = {{kSmoke, {}}, {kReal, {}}};
      },
      "one parameter set");
  ExpectRefused([](KernelSpec& s) { s.server = "test/nothing"; }, "does not need the network");
  ExpectRefused(
      [](KernelSpec& s) {
        s.parameter_sets.push_back({kFirstResponse, {}});
      },
      "first response");
  ExpectRefused(
      [](KernelSpec& s) {
        s.server = "test/nothing";
        s.needs = protocol::kPeer;
        s.parameter_sets = {{kSmoke | kFirstResponse, {}}, {kReal | kFirstResponse, {}}};
      },
      "first response");
}

TEST(RegistryDeathTest, RefusesLateKernels) {
  EXPECT_DEATH((AllKernels(), RegisterKernel(ValidSpec())), "after the first use");
}

TEST(Registry, HoldsWhatTheMacroRegistered) {
  ASSERT_EQ(AllKernels().size(), 1u);
  const KernelSpec& spec = AllKernels().front();
  EXPECT_EQ(spec.name, "test/nothing");
  EXPECT_EQ(spec.needs, protocol::kNothing);
  EXPECT_NE(spec.make(), nullptr);
}

TEST(Context, GivesParameters) {
  const Context context({{"size_kib", "64"}, {"pages", "4k"}}, "/scratch", 7);
  EXPECT_EQ(context.Number("size_kib"), 64u);
  EXPECT_EQ(context.Text("pages"), "4k");
  EXPECT_EQ(context.scratch_dir(), "/scratch");
  EXPECT_EQ(context.seed(), 7u);
}

TEST(Context, RefusesMissingAndMalformedParameters) {
  for (const char* malformed : {"", "4k", "-1", " 1", "1 ", "18446744073709551616"}) {
    const Context context({{"size", malformed}}, "", 0);
    EXPECT_THROW(context.Number("size"), std::invalid_argument) << "'" << malformed << "'";
  }
  EXPECT_THROW(Context({}, "", 0).Text("size"), std::invalid_argument);
}

TEST(KernelFailed, SaysWhatAndWhy) {
  EXPECT_STREQ(KernelFailed("open", ENOENT).what(), "open: No such file or directory");
  EXPECT_STREQ(KernelFailed("the other process is gone").what(), "the other process is gone");
}

}  // namespace
}  // namespace hvbench::agent

#include "benchmarks/runtime_selection.h"

#include <gtest/gtest.h>

#include <sstream>

#include "benchmarks/doctor.h"
#include "benchmarks/subsystems/subsystem.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

std::vector<Runtime> Runtimes() {
  std::vector<Runtime> runtimes(3);
  runtimes[0].options.name = "native";
  runtimes[1].options.name = "kata";
  runtimes[2].options.name = "kata-next";
  for (Runtime& runtime : runtimes) runtime.kind = runtime.name().substr(0, 4);
  return runtimes;
}

std::vector<std::string> Names(const std::vector<Runtime*>& runtimes) {
  std::vector<std::string> names;
  for (const Runtime* runtime : runtimes) names.push_back(runtime->name());
  return names;
}

TEST(SelectRuntimes, TakesAllOrThoseNamedInTheirOrderAndOnce) {
  std::vector<Runtime> all = Runtimes();
  EXPECT_EQ(Names(SelectRuntimes(all, {})),
            (std::vector<std::string>{"native", "kata", "kata-next"}));
  EXPECT_EQ(Names(SelectRuntimes(all, {"kata-next", "native", "kata-next"})),
            (std::vector<std::string>{"kata-next", "native"}));
}

TEST(SelectRuntimes, NamesTheKnownOnesForAnUnknownOne) {
  std::vector<Runtime> all = Runtimes();
  for (const char* unknown : {"podman", "", "Native", "kat"}) {
    try {
      SelectRuntimes(all, {"native", unknown});
      ADD_FAILURE() << "no error: " << unknown;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("native, kata, kata-next"), std::string::npos);
    }
  }
}

std::vector<ProbedRuntime> Probed(std::vector<Runtime>& all) {
  return {{&all[0], {true, "1.0", "", "", ""}},
          {&all[1], {false, "", "there is no /dev/kvm", "modprobe kvm_intel", ""}},
          {&all[2], {false, "3.2.0-longer", "its \"config\" is broken", "", ""}}};
}

TEST(Explain, SaysWhyAndWhatToDo) {
  std::vector<Runtime> all = Runtimes();
  const std::vector<ProbedRuntime> probed = Probed(all);
  EXPECT_EQ(Explain(probed[1]),
            "kata is not usable here: there is no /dev/kvm; to fix it: modprobe kvm_intel");
  EXPECT_EQ(Explain(probed[2]), "kata-next is not usable here: its \"config\" is broken");
}

TEST(Explain, SaysWhyAUsableOneIsPassedOver) {
  std::vector<Runtime> all = Runtimes();
  const ProbedRuntime emulated{&all[1], {true, "7.2", "", "", "KVM works here"}};
  EXPECT_EQ(Explain(emulated), "kata: KVM works here");
  std::ostringstream out;
  PrintDoctor({emulated}, out);
  EXPECT_NE(out.str().find("kata     yes     7.2      KVM works here\n"), std::string::npos)
      << out.str();
}

TEST(Doctor, PrintsATableAndWhatToDo) {
  std::vector<Runtime> all = Runtimes();
  std::ostringstream out;
  PrintDoctor(Probed(all), out);
  EXPECT_EQ(out.str(),
            "runtime    usable  version       why not\n"
            "native     yes     1.0           \n"
            "kata       no                    there is no /dev/kvm\n"
            "kata-next  no      3.2.0-longer  its \"config\" is broken\n"
            "\n"
            "to fix it:\n"
            "  kata: modprobe kvm_intel\n");
}

TEST(Doctor, PrintsJson) {
  std::vector<Runtime> all = Runtimes();
  std::ostringstream out;
  PrintDoctorJson(Probed(all), out);
  const auto list = nlohmann::json::parse(out.str()).at("runtimes");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0], nlohmann::json({{"name", "native"},
                                     {"launcher", "nati"},
                                     {"usable", true},
                                     {"version", "1.0"},
                                     {"reason", ""},
                                     {"fix", ""}}));
  EXPECT_EQ(list[2].at("reason"), "its \"config\" is broken");
}

TEST(Doctor, PrintsJsonOfWhatAProgramPrintedBadly) {
  std::vector<Runtime> all = Runtimes();
  std::vector<ProbedRuntime> probed = Probed(all);
  probed[0].probe.version = "1.0\xff\x1b";
  std::ostringstream out;
  PrintDoctorJson(probed, out);
  EXPECT_TRUE(nlohmann::json::accept(out.str()));
}

TEST(FixtureOf, EverySubsystemHasOne) {
  const RunSettings settings;
  for (const char* subsystem : {"cpu", "memory", "syscall", "of-someone-else"}) {
    const CellName cell{std::string(subsystem) + "/kernel", {}, "native"};
    EXPECT_NE(FixtureOf(subsystem)(cell, settings), nullptr) << subsystem;
  }
}

}  // namespace
}  // namespace hvbench

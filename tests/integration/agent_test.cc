// The agent as a binary: one static file that fits into every guest.
#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

constexpr std::uintmax_t kMaxBytes = 4u << 20;

TEST(AgentBinary, IsSmallAndNeedsNoLoader) {
  std::ifstream stream(HVBENCH_TEST_AGENT, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_LE(bytes.size(), kMaxBytes);
  Elf64_Ehdr header;
  ASSERT_GE(bytes.size(), sizeof(header));
  std::memcpy(&header, bytes.data(), sizeof(header));
  ASSERT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
  ASSERT_GT(header.e_phnum, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof(segment), sizeof(segment));
    EXPECT_NE(segment.p_type, static_cast<Elf64_Word>(PT_INTERP));
  }
}

TEST(AgentBinary, IsSmallWhenIdle) {
  auto [agent_stdin, to_agent] = MakePipe();
  auto [from_agent, agent_stdout] = MakePipe();
  SpawnOptions options;
  options.stdin_fd = agent_stdin.get();
  options.stdout_fd = agent_stdout.get();
  const Process agent = Process::Spawn({HVBENCH_TEST_AGENT, "--stdio"}, options);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  std::ifstream status("/proc/" + std::to_string(agent.pid()) + "/status");
  std::uintmax_t resident_kib = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) std::istringstream(line.substr(6)) >> resident_kib;
  }
  EXPECT_GT(resident_kib, 0u);
  EXPECT_LE(resident_kib * 1024, kMaxBytes);
}

}  // namespace
}  // namespace hvbench::test

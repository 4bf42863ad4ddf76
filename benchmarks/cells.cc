#include "benchmarks/cells.h"

#include <charconv>
#include <optional>
#include <regex>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr std::chrono::seconds kDescribeTimeout{10};
constexpr std::size_t kMaxDescriptionBytes =
    2 * (protocol::kFrameHeaderBytes + protocol::kMaxPayloadBytes);

bool FitsVcpus(const protocol::Params& params, int vcpus) {
  for (const auto& [key, value] : params) {
    if (key != "threads" && key != "jobs" && key != "cpus") continue;
    int count = 0;
    std::from_chars(value.data(), value.data() + value.size(), count);
    if (count > vcpus) return false;
  }
  return true;
}

template <typename Reply>
Reply Next(protocol::FrameDecoder& decoder, const std::filesystem::path& agent) {
  protocol::Frame frame;
  if (decoder.Next(frame) == protocol::FrameStatus::kFrame) {
    if (const auto message = protocol::Decode(frame)) {
      if (const auto* reply = std::get_if<Reply>(&*message)) return *reply;
    }
  }
  throw Error(agent.string() + " is not an agent of this version of hvbench");
}

}  // namespace

AgentDescription DescribeAgent(const std::filesystem::path& agent) {
  if (!std::filesystem::exists(agent)) {
    throw Error("there is no agent at " + agent.string() +
                "; build the target hvbench-agent or pass --hvbench_agent");
  }
  auto [read_end, write_end] = MakePipe();
  SpawnOptions options;
  options.stdout_fd = write_end.get();
  Process process = Process::Spawn({agent.string(), "--describe"}, options);
  write_end.Reset();
  const Deadline deadline = Deadline::In(kDescribeTimeout);
  protocol::FrameDecoder decoder;
  // A program that is no agent may print without end, or nothing and not end either.
  char buffer[4096];
  ssize_t count = 1;
  while (count > 0 && decoder.buffered_bytes() <= kMaxDescriptionBytes &&
         WaitReadable(read_end.get(), deadline, /*interruptible=*/true)) {
    count = read(read_end.get(), buffer, sizeof(buffer));
    if (count > 0) decoder.Append({buffer, static_cast<std::size_t>(count)});
  }
  AgentDescription description;
  description.hello = Next<protocol::HelloReply>(decoder, agent);
  description.manifest = Next<protocol::ManifestReply>(decoder, agent);
  return description;
}

std::vector<CellName> MakeCells(const protocol::ManifestReply& manifest, protocol::Profile profile,
                                int vcpus, const std::vector<std::string>& runtimes) {
  std::vector<CellName> cells;
  for (const protocol::KernelDescription& kernel : manifest.kernels) {
    if ((kernel.needs & protocol::kApplication) != 0) continue;
    for (const protocol::ParameterSet& set : kernel.parameter_sets) {
      if ((set.profiles & profile) == 0 || !FitsVcpus(set.params, vcpus)) continue;
      for (const std::string& runtime : runtimes) {
        cells.push_back({kernel.name, set.params, runtime});
      }
    }
  }
  return cells;
}

bool Matches(const CellName& cell, const std::string& filter) {
  if (filter.empty() || filter == "all") return true;
  const bool negated = filter.starts_with('-');
  // The grammar that Google Benchmark itself uses, whichever library it was built with.
  const std::regex regex(negated ? filter.substr(1) : filter, std::regex::extended);
  return std::regex_search(FormatCellName(cell) + "/manual_time", regex) != negated;
}

}  // namespace hvbench

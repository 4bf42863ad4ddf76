#include "benchmarks/cells.h"

#include <optional>
#include <regex>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr std::chrono::seconds kDescribeTimeout{10};

// What an agent prints on --describe, read as it comes.
class DescriptionReader {
 public:
  explicit DescriptionReader(const std::filesystem::path& agent) : agent_(agent) {}

  // Throws Error as soon as the bytes are none of a description.
  void Append(std::string_view bytes) {
    bytes_ += bytes.size();
    decoder_.Append(bytes);
    protocol::Frame frame;
    protocol::FrameStatus status = protocol::FrameStatus::kNeedMore;
    while ((status = decoder_.Next(frame)) == protocol::FrameStatus::kFrame) Take(frame);
    if (status != protocol::FrameStatus::kNeedMore) Refuse(protocol::Describe(status));
  }
  AgentDescription Finish(bool ended) {
    if (frames_ < 2) Refuse(ended ? "its description ends early" : "it does not describe itself");
    return std::move(description_);
  }

 private:
  void Take(const protocol::Frame& frame) {
    auto message = protocol::Decode(frame);
    if (auto* hello = message ? std::get_if<protocol::HelloReply>(&*message) : nullptr;
        hello != nullptr && frames_ == 0) {
      description_.hello = std::move(*hello);
    } else if (auto* manifest = message ? std::get_if<protocol::ManifestReply>(&*message) : nullptr;
               manifest != nullptr && frames_ == 1) {
      description_.manifest = std::move(*manifest);
    } else {
      Refuse(frames_ < 2 ? "it prints other messages" : "it prints more than its description");
    }
    ++frames_;
  }
  [[noreturn]] void Refuse(std::string_view why) const {
    throw Error(agent_.string() + " is not an agent of this version of hvbench: " +
                std::string(why) + " (after " + std::to_string(bytes_) + " bytes)");
  }

  const std::filesystem::path& agent_;
  protocol::FrameDecoder decoder_;
  AgentDescription description_;
  int frames_ = 0;
  std::size_t bytes_ = 0;
};

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
  DescriptionReader reader(agent);
  // A program that is no agent may print without end, or nothing and not end either.
  char buffer[4096];
  ssize_t count = 1;
  while (count > 0 && !deadline.Passed() &&
         WaitReadable(read_end.get(), deadline, /*interruptible=*/true)) {
    count = read(read_end.get(), buffer, sizeof(buffer));
    if (count > 0) reader.Append({buffer, static_cast<std::size_t>(count)});
  }
  return reader.Finish(count == 0);
}

std::vector<CellName> MakeCells(const protocol::ManifestReply& manifest, protocol::Profile profile,
                                int vcpus, const std::vector<std::string>& runtimes) {
  std::vector<CellName> cells;
  for (const protocol::KernelDescription& kernel : manifest.kernels) {
    if ((kernel.needs & protocol::kApplication) != 0) continue;
    for (const protocol::ParameterSet& set : kernel.parameter_sets) {
      if ((set.profiles & profile) == 0 || std::cmp_greater(set.cpus, vcpus)) continue;
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
  return std::regex_search(ReportedName(cell), regex) != negated;
}

}  // namespace hvbench

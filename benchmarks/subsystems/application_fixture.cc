#include "benchmarks/subsystems/application_fixture.h"

#include <algorithm>
#include <utility>

#include "fixtures/saturate.h"

namespace hvbench {
namespace {

constexpr std::chrono::seconds kControlTimeout{10};

// How many threads of the load can run at a time: 1 where it does not say.
double LoadThreads(const protocol::RunReply& load) {
  for (const protocol::Counter& counter : load.counters) {
    if (counter.name == protocol::kLoadThreadsCounter) return std::max(counter.value, 1.0);
  }
  return 1;
}

}  // namespace

protocol::PrepareRequest ServerRequest(const protocol::KernelDescription& server,
                                       const protocol::Params& load, const RunSettings& settings) {
  protocol::PrepareRequest request;
  request.kernel = server.name;
  if (!server.parameter_sets.empty()) request.params = server.parameter_sets.front().params;
  for (auto& [key, value] : request.params) {
    const auto same = std::find_if(load.begin(), load.end(),
                                   [&](const auto& param) { return param.first == key; });
    if (same != load.end()) value = same->second;
    if (key == protocol::kWorkersParameter) value = std::to_string(settings.pool->shape().vcpus);
  }
  request.iterations = 1;
  request.seed = settings.seed;
  return request;
}

void AddServer(protocol::PrepareRequest& load, const LiveGuest& guest) {
  load.params.emplace_back(protocol::kServerParameter, guest.address);
}

void ApplicationFixture::Begin() {
  serving_ = false;
  if (settings().load == nullptr) throw CannotRunHere(settings().netlab_problem);
  const Kernels& kernels = settings().kernels;
  const protocol::PrepareRequest server =
      ServerRequest(kernels.at(kernels.at(cell().kernel).server), cell().params, settings());
  const std::string server_name = CellName{server.kernel, server.params, ""}.WithoutRuntime();
  LiveGuest& guest = Lease(GuestKind::kApplication, server_name);
  RequireStorage(guest);
  if (guest.bridge().prepared_cell() != server_name) {
    settings().load->Cleanup(Deadline::In(kControlTimeout));
    guest.bridge().Prepare(server, RunDeadline(), server_name);
  }
  serving_ = true;
  const std::string load_name = name() + " in boot " + std::to_string(guest.boot());
  if (settings().load->prepared_cell() == load_name) return;
  protocol::PrepareRequest load = MakePrepareRequest();
  AddServer(load, guest);
  SetWork(settings().load->Prepare(load, RunDeadline(), load_name));
}

double ApplicationFixture::AskServer(LiveGuest& guest) {
  const Deadline deadline = RunDeadline();
  serving_ = false;
  const protocol::RunReply reply = guest.bridge().Run(1, deadline).reply;
  guest.bridge().Verify(deadline);
  serving_ = true;
  for (const protocol::Counter& counter : reply.counters) {
    if (counter.name == protocol::kServerCpuCounter) return counter.value;
  }
  throw Error("the guest's server does not tell its CPU time");
}

RunResult ApplicationFixture::Measure(std::uint64_t iterations) {
  LiveGuest& guest = *this->guest();
  LoadAgent& load = *settings().load;
  const double server_before = AskServer(guest);
  const auto host_before = guest.guest().HostCpu();
  const protocol::RunReply run = load.Run(iterations, RunDeadline());
  const auto host_after = guest.guest().HostCpu();
  const GuestMemory memory = guest.guest().Memory();
  const double server_after = AskServer(guest);
  load.Verify(RunDeadline());

  RunResult result;
  result.iterations = iterations;
  result.boot = guest.boot();
  result.run = run;
  result.run.cpu_ns =
      static_cast<std::uint64_t>(Saturated(std::max(server_after - server_before, 0.0)));
  result.host_cpu_ns = (host_after - host_before).count();
  result.round_trip_ns = guest.clock_anchor.round_trip_ns;
  result.run.counters.push_back(
      {"load_cpu_ns", static_cast<double>(run.cpu_ns) / static_cast<double>(iterations)});
  result.run.counters.push_back(
      {kLoadBusyCounter, 100 * static_cast<double>(run.cpu_ns) /
                             (static_cast<double>(run.elapsed_ns) * LoadThreads(run))});
  if (memory.pss_bytes) {
    result.run.counters.push_back({"pss_bytes", static_cast<double>(*memory.pss_bytes)});
  }
  return result;
}

std::string ApplicationFixture::AfterFailure() {
  LiveGuest* const guest = this->guest();
  if (guest == nullptr || !std::exchange(serving_, false)) return "";
  try {
    AskServer(*guest);
  } catch (const GuestError& error) {
    return std::string("; ") + error.what();
  }
  const std::string log = guest->bridge().Cleanup(Deadline::In(kControlTimeout));
  return log.empty() ? "" : "; the server still serves, and printed last:" + log;
}

}  // namespace hvbench

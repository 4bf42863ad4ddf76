#include "runtime_launchers/vm/firecracker_api.h"

#include <chrono>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

using nlohmann::json;

// Small beside the 5 ms that the VMM takes to its first answer.
constexpr auto kAnswerPoll = std::chrono::microseconds(200);
// A process closes its sockets a moment before it can be waited for.
constexpr auto kEndPatience = std::chrono::milliseconds(100);

std::string FaultOf(const HttpResponse& response) {
  const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  std::string fault = response.body;
  if (body.is_object() && body.contains("fault_message")) {
    const json& message = body["fault_message"];
    fault = message.is_string() ? message.get<std::string>() : message.dump();
  }
  return "status " + std::to_string(response.status) + AsQuote(Printable(std::move(fault)));
}

}  // namespace

void FirecrackerApi::Send(HttpMethod method, const std::string& target, const std::string& body,
                          Deadline deadline) const {
  const HttpResponse response = client_.Send({method, target, body}, deadline);
  if (!response.success()) throw Error("Firecracker refuses " + target + ": " + FaultOf(response));
}

void FirecrackerApi::AwaitAnswer(Process& vmm, Deadline deadline) const {
  const auto throw_if_ended = [&vmm](Deadline until) {
    if (const auto status = vmm.Wait(until)) throw Error("Firecracker " + status->Describe());
  };
  for (;;) {
    try {
      Send(HttpMethod::kGet, "/", "", deadline);
      return;
    } catch (const SystemError& not_yet) {
      throw_if_ended(Deadline());
      if (deadline.Passed()) throw TimedOut(std::string("Firecracker: ") + not_yet.what());
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      // How it ended says more than that its answer was cut off.
      throw_if_ended(Deadline::In(kEndPatience));
      throw;
    }
    hvbench::Pause(kAnswerPoll, interruptible_);
  }
}

void FirecrackerApi::Start(const FirecrackerMachine& machine, Deadline deadline) const {
  const auto put = [&](const std::string& target, const json& body) {
    Send(HttpMethod::kPut, target, WriteJson(body), deadline);
  };
  put("/machine-config", {{"vcpu_count", machine.vcpus}, {"mem_size_mib", machine.memory_mib}});
  put("/boot-source", {{"kernel_image_path", machine.guest_kernel},
                       {"initrd_path", machine.initramfs},
                       {"boot_args", machine.kernel_parameters}});
  // The host's own number is 2; each VMM has a vsock of its own.
  put("/vsock", {{"guest_cid", 3}, {"uds_path", machine.vsock_socket}});
  for (const std::string& disk : machine.disks) {
    // Writeback: the guest's flushes reach the host's disk. Without it Firecracker ignores them.
    put("/drives/" + disk, {{"drive_id", disk},
                            {"path_on_host", disk},
                            {"is_root_device", false},
                            {"is_read_only", false},
                            {"cache_type", "Writeback"},
                            {"io_engine", machine.io_engine}});
  }
  if (!machine.tap.empty()) {
    put("/network-interfaces/network",
        {{"iface_id", "network"}, {"guest_mac", machine.mac}, {"host_dev_name", machine.tap}});
  }
  put("/actions", {{"action_type", "InstanceStart"}});
}

void FirecrackerApi::Pause(Deadline deadline) const {
  Send(HttpMethod::kPatch, "/vm", R"({"state":"Paused"})", deadline);
}

void FirecrackerApi::Resume(Deadline deadline) const {
  Send(HttpMethod::kPatch, "/vm", R"({"state":"Resumed"})", deadline);
}

void FirecrackerApi::CreateSnapshot(const std::string& state, const std::string& memory,
                                    Deadline deadline) const {
  const json body = {
      {"snapshot_type", "Full"}, {"snapshot_path", state}, {"mem_file_path", memory}};
  Send(HttpMethod::kPut, "/snapshot/create", WriteJson(body), deadline);
}

void FirecrackerApi::LoadSnapshot(const std::string& state, const std::string& memory,
                                  Deadline deadline) const {
  const json body = {{"snapshot_path", state},
                     {"mem_backend", {{"backend_type", "File"}, {"backend_path", memory}}},
                     {"resume_vm", true}};
  Send(HttpMethod::kPut, "/snapshot/load", WriteJson(body), deadline);
}

void FirecrackerApi::SetMetricsFile(const std::string& file, Deadline deadline) const {
  Send(HttpMethod::kPut, "/metrics", WriteJson(json{{"metrics_path", file}}), deadline);
}

void FirecrackerApi::FlushMetrics(Deadline deadline) const {
  Send(HttpMethod::kPut, "/actions", R"({"action_type":"FlushMetrics"})", deadline);
}

}  // namespace hvbench

#include "runtime_launchers/containerd/client.h"

#include <signal.h>

#include <cstdlib>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr char kNamespace[] = "hvbench";
constexpr char kContainers[] = "/containerd.services.containers.v1.Containers/";
constexpr char kNamespaces[] = "/containerd.services.namespaces.v1.Namespaces/";
constexpr char kTasks[] = "/containerd.services.tasks.v1.Tasks/";

// A protobuf message is a list of numbered fields; those numbers stand in the .proto files.
class Message {
 public:
  // Empty fields are left out, as protobuf's own writers do it.
  Message& Add(protozero::pbf_tag_type field, const std::string& bytes) {
    if (!bytes.empty()) protozero::pbf_writer(bytes_).add_bytes(field, bytes);
    return *this;
  }
  Message& Add(protozero::pbf_tag_type field, const TypedMessage& any) {
    return Add(field, any.type.empty() ? "" : Message().Add(1, any.type).Add(2, any.bytes).bytes_);
  }
  Message& Add(protozero::pbf_tag_type field, std::uint32_t value) {
    protozero::pbf_writer(bytes_).add_uint32(field, value);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// What `read` returns. Error for a reply that is no message, or ends too early.
template <typename Read>
auto FromReply(Read read) {
  try {
    return read();
  } catch (const protozero::exception& error) {
    throw Error(std::string("containerd sent no proper message: ") + error.what());
  }
}

// One field of a reply; `fallback` where it has none of that type.
std::uint32_t NumberIn(const std::string& reply, protozero::pbf_tag_type field,
                       std::uint32_t fallback) {
  return FromReply([&] {
    protozero::pbf_reader reader(reply);
    return reader.next(field, protozero::pbf_wire_type::varint) ? reader.get_uint32() : fallback;
  });
}

std::string TextField(const std::string& reply, protozero::pbf_tag_type field) {
  return FromReply([&] {
    protozero::pbf_reader reader(reply);
    return reader.next(field, protozero::pbf_wire_type::length_delimited) ? reader.get_string()
                                                                          : "";
  });
}

std::string ById(const std::string& id) { return Message().Add(1, id).bytes(); }

}  // namespace

TypedMessage RuncShimOptions(const fs::path& binary) {
  return {"containerd.runc.v1.Options", Message().Add(6, binary.string()).bytes()};
}

TypedMessage ConfigFileOptions(const fs::path& config, const std::string& kind) {
  return {"runtimeoptions.v1.Options", Message().Add(1, kind).Add(2, config.string()).bytes()};
}

ContainerdClient::ContainerdClient(bool interruptible)
    : client_(DaemonSocket(), {{"containerd-namespace", kNamespace}}, interruptible) {}

fs::path ContainerdClient::DaemonSocket() {
  const char* address = std::getenv("CONTAINERD_ADDRESS");  // as ctr has it
  if (address != nullptr && *address != '\0') return address;
  constexpr char kUsual[] = "/run/containerd/containerd.sock";
  constexpr char kDockers[] = "/run/docker/containerd/containerd.sock";
  std::error_code error;
  return !fs::exists(kUsual, error) && fs::exists(kDockers, error) ? kDockers : kUsual;
}

void ContainerdClient::Refuse(const char* what, const GrpcReply& reply) const {
  throw Error(std::string("containerd cannot ") + what + ": " + reply.message);
}

std::string ContainerdClient::Call(const std::string& method, const std::string& request,
                                   const char* what, Deadline deadline) const {
  GrpcReply reply = client_.Call(method, request, deadline);
  if (reply.status != kGrpcOk) Refuse(what, reply);
  return std::move(reply.body);
}

std::string ContainerdClient::Version(Deadline deadline) const {
  return TextField(
      Call("/containerd.services.version.v1.Version/Version", "", "tell its version", deadline), 1);
}

void ContainerdClient::CreateContainer(const ContainerToCreate& container,
                                       Deadline deadline) const {
  const Message runtime = Message().Add(1, container.runtime).Add(2, container.runtime_options);
  const TypedMessage spec = {"types.containerd.io/opencontainers/runtime-spec/1/Spec",
                             container.spec};
  const Message message = Message().Add(1, container.id).Add(4, runtime.bytes()).Add(5, spec);
  Call(std::string(kContainers) + "Create", Message().Add(1, message.bytes()).bytes(),
       "create the container", deadline);
}

pid_t ContainerdClient::CreateTask(const std::string& id, const TaskStreams& streams,
                                   const fs::path& bundle_rootfs, Deadline deadline) const {
  Message message;
  message.Add(1, id);
  if (!bundle_rootfs.empty()) {
    message.Add(3, Message()
                       .Add(1, "bind")
                       .Add(2, bundle_rootfs.string())
                       .Add(4, "rbind")
                       .Add(4, "rw")
                       .bytes());
  }
  message.Add(4, streams.input.string());
  message.Add(5, streams.output.string());
  message.Add(6, streams.error.string());
  const std::string reply =
      Call(std::string(kTasks) + "Create", message.bytes(), "create the task", deadline);
  return static_cast<pid_t>(NumberIn(reply, 2, 0));
}

void ContainerdClient::StartTask(const std::string& id, Deadline deadline) const {
  Call(std::string(kTasks) + "Start", ById(id), "start the task", deadline);
}

int ContainerdClient::WaitTask(const std::string& id, Deadline deadline) const {
  const std::string reply =
      Call(std::string(kTasks) + "Wait", ById(id), "wait for the task", deadline);
  return static_cast<int>(NumberIn(reply, 1, 0));  // 0 is not sent
}

void ContainerdClient::Remove(const std::string& id, Deadline deadline) const {
  const std::string kill = Message().Add(1, id).Add(3, std::uint32_t{SIGKILL}).bytes();
  client_.Call(std::string(kTasks) + "Kill", kill, deadline);  // fails for one that has ended
  GrpcReply reply = client_.Call(std::string(kTasks) + "Delete", ById(id), deadline);
  const auto refused = [&reply] {
    return reply.status != kGrpcOk && reply.status != kGrpcNotFound;
  };
  // The shim sees a moment later that its task has ended, and containerd, within seconds and with
  // errors of several kinds until then, that a shim has died, whose task it deletes itself.
  while (refused() && !deadline.Passed()) {
    Pause(std::chrono::milliseconds(2), /*interruptible=*/false);
    try {
      reply = client_.Call(std::string(kTasks) + "Delete", ById(id), deadline);
    } catch (const TimedOut&) {
      break;  // what containerd said before says more
    }
  }
  if (refused()) Refuse("delete the task", reply);
  reply = client_.Call(std::string(kContainers) + "Delete", ById(id), deadline);
  if (refused()) Refuse("delete the container", reply);
}

bool ContainerdClient::HasContainer(const std::string& id, Deadline deadline) const {
  const GrpcReply reply = client_.Call(std::string(kContainers) + "Get", ById(id), deadline);
  if (reply.status != kGrpcOk && reply.status != kGrpcNotFound) Refuse("find a container", reply);
  return reply.status == kGrpcOk;
}

void ContainerdClient::RemoveNamespace(Deadline deadline) const {
  const GrpcReply reply =
      client_.Call(std::string(kNamespaces) + "Delete", ById(kNamespace), deadline);
  const bool in_use = reply.status == kGrpcFailedPrecondition;
  if (reply.status != kGrpcOk && reply.status != kGrpcNotFound && !in_use) {
    Refuse("delete the suite's namespace", reply);
  }
}

bool ContainerdClient::HasNamespace(Deadline deadline) const {
  // A look-up of one namespace succeeds for every name.
  const std::string reply =
      Call(std::string(kNamespaces) + "List", "", "list namespaces", deadline);
  return FromReply([&] {
    protozero::pbf_reader list(reply);
    while (list.next(1, protozero::pbf_wire_type::length_delimited)) {
      if (TextField(list.get_string(), 1) == kNamespace) return true;
    }
    return false;
  });
}

}  // namespace hvbench

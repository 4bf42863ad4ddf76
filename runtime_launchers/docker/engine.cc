#include "runtime_launchers/docker/engine.h"

#include <cstdlib>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr char kDefaultSocket[] = "/var/run/docker.sock";

std::filesystem::path DaemonSocket() {
  const char* host = std::getenv("DOCKER_HOST");
  if (host == nullptr || *host == '\0') return kDefaultSocket;
  const std::string text = host;
  constexpr std::string_view kScheme = "unix://";
  if (!text.starts_with(kScheme)) {
    throw Error("DOCKER_HOST is '" + text + "', but only unix:// sockets are supported");
  }
  return text.substr(kScheme.size());
}

// The daemon's errors are {"message": "..."}.
std::string MessageOf(const HttpResponse& response) {
  const Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (body.is_object() && body.contains("message") && body["message"].is_string()) {
    return body["message"].get<std::string>();
  }
  return response.body.substr(0, 500);
}

[[noreturn]] void Refuse(const char* what, const HttpResponse& response) {
  throw Error(std::string("the Docker daemon cannot ") + what + " (HTTP " +
              std::to_string(response.status) + "): " + MessageOf(response));
}

std::string ContainerTarget(const std::string& name, const char* action) {
  return "/containers/" + PercentEncode(name) + action;
}

std::string OwnImagesTarget() {
  return "/images/json?all=true&filters=" + PercentEncode(R"({"label":["org.hvbench=1"]})");
}

}  // namespace

DockerEngine::DockerEngine(bool interruptible) : client_(DaemonSocket(), interruptible) {}

HttpResponse DockerEngine::Send(const HttpRequest& request, const char* what,
                                Deadline deadline) const {
  HttpResponse response = client_.Send(request, deadline);
  if (!response.success()) Refuse(what, response);
  return response;
}

Json DockerEngine::GetJson(const std::string& target, const char* what, Deadline deadline) const {
  const HttpResponse response = Send({HttpMethod::kGet, target, "", ""}, what, deadline);
  Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (body.is_discarded()) throw Error(std::string("the Docker daemon sent no JSON to ") + what);
  return body;
}

DaemonInfo DockerEngine::Info(Deadline deadline) const {
  return ParseDaemonInfo(GetJson("/info", "describe itself", deadline));
}

bool DockerEngine::HasImage(const std::string& reference, Deadline deadline) const {
  const HttpResponse response = client_.Send(
      {HttpMethod::kGet, "/images/" + PercentEncode(reference) + "/json", "", ""}, deadline);
  if (response.status == 404) return false;
  if (!response.success()) Refuse("look for the agent's image", response);
  return true;
}

Json DockerEngine::InspectImage(const std::string& reference, Deadline deadline) const {
  return GetJson("/images/" + PercentEncode(reference) + "/json", "describe the agent's image",
                 deadline);
}

void DockerEngine::ImportImage(const std::string& repository, const std::string& tag,
                               std::string tar, Deadline deadline) const {
  const std::string target = "/images/create?fromSrc=-&repo=" + PercentEncode(repository) +
                             "&tag=" + PercentEncode(tag) +
                             "&changes=" + PercentEncode("LABEL org.hvbench=1");
  const HttpResponse response =
      Send({HttpMethod::kPost, target, std::move(tar), "application/x-tar"},
           "import the agent's image", deadline);
  // An import reports its own failures inside of a successful response.
  if (response.body.find("\"error\"") != std::string::npos) {
    throw Error("the Docker daemon cannot import the agent's image: " + response.body);
  }
}

void DockerEngine::RemoveOwnImages(Deadline deadline) const {
  for (const Json& image : GetJson(OwnImagesTarget(), "list images", deadline)) {
    const std::string id = TextIn(image, "Id");
    if (id.empty()) continue;
    const HttpResponse response =
        client_.Send({HttpMethod::kDelete, "/images/" + PercentEncode(id), "", ""}, deadline);
    // 409: a container has it, of a run that knows another work directory.
    const bool is_fine = response.success() || response.status == 404 || response.status == 409;
    if (!is_fine) Refuse("remove the agent's image", response);
  }
}

std::optional<std::string> DockerEngine::CreateContainer(const std::string& name,
                                                         const Json& config,
                                                         Deadline deadline) const {
  const HttpResponse response =
      client_.Send({HttpMethod::kPost, "/containers/create?name=" + PercentEncode(name),
                    WriteJson(config), "application/json"},
                   deadline);
  if (response.status == 404) return std::nullopt;
  if (!response.success()) Refuse("create the container", response);
  const Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  std::string id = TextIn(body, "Id");
  if (id.empty()) throw Error("the Docker daemon made a container, but told no id");
  return id;
}

UniqueFd DockerEngine::AttachContainer(const std::string& name, Deadline deadline) const {
  UniqueFd stream;
  const HttpResponse response = client_.Upgrade(
      ContainerTarget(name, "/attach?stream=true&stdin=true&stdout=true&stderr=true"), deadline,
      stream);
  if (!stream) Refuse("attach to the container", response);
  return stream;
}

void DockerEngine::StartContainer(const std::string& name, Deadline deadline) const {
  Send({HttpMethod::kPost, ContainerTarget(name, "/start"), "", ""}, "start the container",
       deadline);
}

int DockerEngine::WaitContainer(const std::string& name, Deadline deadline) const {
  constexpr char kWhat[] = "wait for the container";
  const HttpResponse response =
      Send({HttpMethod::kPost, ContainerTarget(name, "/wait"), "", ""}, kWhat, deadline);
  const Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  // A wait reports its own failure inside of a successful response, beside a status of 0.
  if (body.is_object() && body.contains("Error")) {
    if (const std::string fault = TextIn(body["Error"], "Message"); !fault.empty()) {
      throw Error(std::string("the Docker daemon cannot ") + kWhat + ": " + fault);
    }
  }
  const std::int64_t status = NumberIn(body, "StatusCode", -1);
  if (status < 0) throw Error("the Docker daemon told no status of a container that has ended");
  return static_cast<int>(status);
}

Json DockerEngine::InspectContainer(const std::string& name, Deadline deadline) const {
  return GetJson(ContainerTarget(name, "/json"), "inspect the container", deadline);
}

ContainerState DockerEngine::StateOfContainer(const std::string& name, Deadline deadline) const {
  return ParseContainerState(InspectContainer(name, deadline));
}

bool DockerEngine::RemoveContainer(const std::string& name, Deadline deadline) const {
  const HttpRequest request = {HttpMethod::kDelete, ContainerTarget(name, "?force=true&v=true"), "",
                               ""};
  HttpResponse response = client_.Send(request, deadline);
  // 409: a removal is in progress already; it is over when the container is not found.
  while (response.status == 409 && !deadline.Passed()) {
    Pause(std::chrono::milliseconds(5), /*interruptible=*/false);
    try {
      response = client_.Send(request, deadline);
    } catch (const TimedOut&) {
      break;  // what the daemon said before says more
    }
  }
  if (!response.success() && response.status != 404) Refuse("remove the container", response);
  return response.success();
}

}  // namespace hvbench

// nginx in the guest, for load from outside: started, asked from within until it serves, stopped.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <string>

#include "benchmarks/kernels/support/server/server_kernel.h"
#include "benchmarks/kernels/support/server/web_content.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

using namespace std::chrono_literals;

constexpr char kNginxDirectory[] = "/srv/hvbench-nginx";
constexpr auto kNginxStartTimeout = 30s;
constexpr auto kCertificateTimeout = 30s;

// A path of the server's own folder.
std::string NginxPath(const std::string& name) { return kNginxDirectory + ("/" + name); }

std::string Configuration(std::uint64_t workers, bool tls, bool access_log) {
  std::string text = "daemon off;\n";
  text += "user www-data;\n";
  text += "worker_processes " + std::to_string(workers) + ";\n";
  text += "worker_rlimit_nofile 8192;\n";
  text += "error_log stderr warn;\n";
  text += "pid " + NginxPath("pid") + ";\n";
  text += "events { worker_connections 4096; }\n";
  text += "http {\n";
  text += "  access_log " + (access_log ? NginxPath("access.log") : "off") + ";\n";
  text += "  default_type application/octet-stream;\n";
  text += "  sendfile on;\n";
  text += "  tcp_nopush on;\n";
  // A connection that is to be kept alive is: neither the pauses between batches end it nor the
  // count of its requests, which would be measured as reconnections.
  text += "  keepalive_timeout 3600s;\n";
  text += "  keepalive_requests 1000000000;\n";
  text += "  server {\n";
  text += "    listen " + std::to_string(kWebPort) + " backlog=4096;\n";
  if (tls) {
    text += "    listen " + std::to_string(kWebTlsPort) + " ssl backlog=4096;\n";
    text += "    ssl_certificate " + NginxPath("certificate.pem") + ";\n";
    text += "    ssl_certificate_key " + NginxPath("key.pem") + ";\n";
  }
  text += "    root " + NginxPath("html") + ";\n";
  return text + "  }\n}\n";
}

void MakeCertificate(const std::string& root) {
  ServerCommand command;
  command.argv = {"/usr/bin/openssl",
                  "req",
                  "-x509",
                  "-newkey",
                  "ec",
                  "-pkeyopt",
                  "ec_paramgen_curve:P-256",
                  "-noenc",
                  "-days",
                  "3650",
                  "-subj",
                  "/CN=hvbench",
                  "-keyout",
                  NginxPath("key.pem"),
                  "-out",
                  NginxPath("certificate.pem")};
  command.log = NginxPath("openssl.log");
  RunInApplicationRoot(root, command, kCertificateTimeout);
}

class NginxServer : public ServerKernel {
 public:
  void Prepare(const Context& context) override {
    const std::uint64_t file_kib = context.Number("file_kib");
    const bool tls = context.Number("tls") != 0;
    const bool access_log = context.Number("access_log") != 0;
    const std::uint64_t workers = context.Number(protocol::kWorkersParameter);
    const std::string& root = context.application_root();
    path_ = WebPath(file_kib);
    content_ = WebContent(context.seed(), file_kib);
    MakeEmptyDirectory(root, kNginxDirectory);
    MakeEmptyDirectory(root, NginxPath("html"));
    WriteFileIn(root, NginxPath("html") + path_, content_);
    WriteFileIn(root, NginxPath("nginx.conf"), Configuration(workers, tls, access_log));
    if (tls) MakeCertificate(root);
    ServerCommand command;
    command.argv = {"/usr/sbin/nginx", "-c", NginxPath("nginx.conf")};
    command.log = NginxPath("server.log");
    command.stop_signal = SIGQUIT;  // lets requests under way end
    server_ = std::make_unique<ServerProcess>(root, command);
    server_->AwaitServing([this] { return Serves(); }, kNginxStartTimeout);
  }

  // Requests from within, for whoever asks whether it still serves.
  void Run(std::uint64_t iterations) override {
    server_->RequireAlive();
    tally_.Run(iterations, [this] { return Serves(); });
  }

 private:
  // One request on a connection of its own, and whether all of the file came back. Whoever else has
  // the port may never answer.
  bool Serves() const {
    constexpr std::size_t kMostHeaderBytes = 4096;
    constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kWebPort);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string request = "GET " + path_ + " HTTP/1.0\r\n\r\n";
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      return false;
    }
    std::string response(content_.size() + kMostHeaderBytes, '\0');
    const ssize_t count = recv(fd.get(), response.data(), response.size(), MSG_WAITALL);
    response.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return response.starts_with("HTTP/1.1 200") && response.ends_with("\r\n\r\n" + content_);
  }

  std::string path_;
  std::string content_;
};

HVBENCH_KERNEL(NginxServer, .name = "nginx/server",
               .summary = "Serves a static file to the load generator outside of the guest",
               .unit = "request",
               .parameter_sets = {{kSmoke | kReal,
                                   {{"file_kib", "1"},
                                    {"tls", "0"},
                                    {"access_log", "0"},
                                    {protocol::kWorkersParameter, "1"}}}},
               .needs = protocol::kApplication, .packages = {"nginx-light"});

}  // namespace
}  // namespace hvbench::agent::kernels

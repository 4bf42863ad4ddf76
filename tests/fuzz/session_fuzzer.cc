// A hostile guest against all that the host does with one: the bridge, the boot's timeline, clock
// samples, cells and their counters, and the JSON. What the guest answers to each request is the
// fuzzer's choice: the truth with some numbers changed, another message, bytes, or nothing.
#include <benchmark/benchmark.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "benchmarks/report/buffered_reporter.h"
#include "fixtures/guest_pool.h"
#include "fixtures/runtime_fixture.h"
#include "fixtures/shared_tsc.h"
#include "runtime_launchers/support/clock.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/vm/tsc.h"

namespace hvbench {
namespace {

using protocol::Message;

void Require(bool condition) {
  if (!condition) std::abort();
}

// Shared by the guests of one input, which live one after the other.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : data_(data, size) {}

  // What the guest writes for a request; nothing: it closes its end.
  std::optional<std::string> Answer(const Message& request, std::uint32_t id) {
    if (data_.remaining_bytes() == 0) return std::nullopt;
    switch (data_.ConsumeIntegralInRange(0, 15)) {
      case 0:
        return std::nullopt;
      case 1:
        return data_.ConsumeRandomLengthString(200);
      case 2:
        return protocol::EncodeFrame(
            {data_.ConsumeIntegral<std::uint8_t>(), id, data_.ConsumeRandomLengthString(200)});
      case 3:
        return protocol::Encode(Error(), id);
      case 4: {  // more than was asked for
        const std::string once = protocol::Encode(Truth(request), id);
        return once + protocol::Encode(Truth(request), id + 1);
      }
      case 5:
        return protocol::Encode(Truth(request), id - 1);
      default: {
        Message reply = Truth(request);
        while (data_.ConsumeIntegralInRange(0, 3) == 3) Change(reply);
        return protocol::Encode(reply, id);
      }
    }
  }

 private:
  static std::uint64_t Now() { return static_cast<std::uint64_t>(MonotonicRawNs()); }

  std::uint64_t Number() {
    constexpr std::array<std::uint64_t, 8> kEdges = {0,
                                                     1,
                                                     ~std::uint64_t{0},
                                                     std::uint64_t{1} << 63,
                                                     (std::uint64_t{1} << 63) - 1,
                                                     std::uint64_t{1} << 32,
                                                     10'000'000'000'000,
                                                     10'000'000'000'001};
    if (data_.ConsumeBool()) return data_.PickValueInArray(kEdges);
    return data_.ConsumeBool() ? Now() + data_.ConsumeIntegral<std::uint32_t>()
                               : data_.ConsumeIntegral<std::uint64_t>();
  }

  protocol::ErrorReply Error() {
    return {static_cast<protocol::ErrorCode>(data_.ConsumeIntegralInRange(1, 6)),
            data_.ConsumeIntegral<std::int32_t>(), data_.ConsumeRandomLengthString(100)};
  }

  Message Truth(const Message& request) const {
    if (const auto* hello = std::get_if<protocol::HelloRequest>(&request)) {
      const char* clock = hello->tsc_khz > 0 ? kTscClock : "CLOCK_MONOTONIC_RAW";
      return protocol::HelloReply{"1", "id", clock, 20'000, started_ns_, Now(), {}};
    }
    if (std::holds_alternative<protocol::PingRequest>(request)) {
      return protocol::PingReply{Now(), ReadHostTsc()};
    }
    if (const auto* prepare = std::get_if<protocol::PrepareRequest>(&request)) {
      return protocol::PrepareReply{std::max<std::uint64_t>(prepare->iterations, 1), 1, 1};
    }
    if (std::holds_alternative<protocol::RunRequest>(request)) {
      return protocol::RunReply{100, 100, {{"p99_ns", 5}}};
    }
    if (std::holds_alternative<protocol::VerifyRequest>(request)) return protocol::VerifyReply{};
    if (std::holds_alternative<protocol::CleanupRequest>(request)) return protocol::CleanupReply{};
    return protocol::ShutdownReply{};
  }

  void Change(Message& reply) {
    if (auto* hello = std::get_if<protocol::HelloReply>(&reply)) {
      hello->agent_start_ns = Number();
      hello->now_ns = Number();
      hello->clock_read_ps = Number();
      if (data_.ConsumeBool()) hello->clock = data_.ConsumeRandomLengthString(10);
      hello->facts.emplace_back(
          data_.ConsumeBool() ? "kernel_start_ns" : data_.ConsumeRandomLengthString(10),
          data_.ConsumeBool() ? std::to_string(static_cast<std::int64_t>(Number()))
                              : data_.ConsumeRandomLengthString(30));
    } else if (auto* ping = std::get_if<protocol::PingReply>(&reply)) {
      (data_.ConsumeBool() ? ping->now_ns : ping->tsc) = Number();
    } else if (auto* prepare = std::get_if<protocol::PrepareReply>(&reply)) {
      (data_.ConsumeBool() ? prepare->iterations : prepare->items_per_iteration) = Number();
      prepare->bytes_per_iteration = Number();
    } else if (auto* run = std::get_if<protocol::RunReply>(&reply)) {
      (data_.ConsumeBool() ? run->elapsed_ns : run->cpu_ns) = Number();
      const double value = data_.ConsumeBool() ? data_.ConsumeFloatingPoint<double>()
                                               : static_cast<double>(Number());
      run->counters.push_back(
          {data_.ConsumeBool() ? "p50_ns" : data_.ConsumeRandomLengthString(20), value});
    } else if (auto* cleanup = std::get_if<protocol::CleanupReply>(&reply)) {
      cleanup->log = data_.ConsumeRandomLengthString(100);
    }
  }

  FuzzedDataProvider data_;
  std::uint64_t started_ns_ = Now();
};

class HostileGuest : public Guest {
 public:
  explicit HostileGuest(Script& script) {
    std::array<int, 2> fds{};
    Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    host_end_.Reset(fds[0]);
    own_end_.Reset(fds[1]);
    thread_ = std::thread([this, &script] {
      Serve(script);
      shutdown(own_end_.get(), SHUT_RDWR);
    });
  }
  ~HostileGuest() override { Stop(); }

  Endpoint TakeEndpoint() override {
    UniqueFd write_end(dup(host_end_.get()));
    return PipeEndpoint{std::move(write_end), std::move(host_end_)};
  }
  int DeathFd() const override { return -1; }
  LaunchPhases Phases() const override { return {launched_ns_, launched_ns_}; }
  std::map<std::string, std::string> Facts() const override { return {}; }
  void Freeze() override {}
  void Thaw() override {}
  std::chrono::nanoseconds HostCpu() override { return {}; }
  GuestMemory Memory() override { return {}; }
  std::string ConsoleTail() override { return ""; }
  std::string DeathReason() override { return ""; }
  void Shutdown(StopMode, Deadline) override { Stop(); }

 private:
  void Serve(Script& script) {
    protocol::FrameDecoder decoder;
    for (;;) {
      protocol::Frame frame;
      while (decoder.Next(frame) != protocol::FrameStatus::kFrame) {
        std::array<char, 4096> buffer;
        const ssize_t count = recv(own_end_.get(), buffer.data(), buffer.size(), 0);
        if (count <= 0) return;
        decoder.Append({buffer.data(), static_cast<std::size_t>(count)});
      }
      const auto request = protocol::Decode(frame);
      Require(request.has_value());
      const auto answer = script.Answer(*request, frame.request_id);
      if (!answer) return;
      // What is no whole frame would have the host wait for the rest until its deadline.
      protocol::FrameDecoder check;
      check.Append(*answer);
      protocol::Frame first;
      const bool waits = check.Next(first) == protocol::FrameStatus::kNeedMore;
      if (send(own_end_.get(), answer->data(), answer->size(), MSG_NOSIGNAL) < 0 || waits) return;
    }
  }
  void Stop() {
    if (!thread_.joinable()) return;
    shutdown(own_end_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::int64_t launched_ns_ = MonotonicRawNs();
  UniqueFd host_end_;
  UniqueFd own_end_;
  std::thread thread_;
};

class HostileLauncher : public Launcher {
 public:
  explicit HostileLauncher(Script& script) : script_(script) {}
  const std::string& name() const override { return name_; }
  ProbeResult Probe(ProbeDepth, const LaunchRequest&) override { return {}; }
  std::unique_ptr<Guest> Launch(const LaunchRequest&) override {
    return std::make_unique<HostileGuest>(script_);
  }
  void RemoveStale(const std::string&, const std::filesystem::path&) override {}

 private:
  std::string name_ = "hostile";
  Script& script_;
};

const RunDir& TheRunDir() {
  static const std::filesystem::path kDir = [] {
    std::string name = std::filesystem::temp_directory_path() / "hvbench-fuzz-XXXXXX";
    Require(mkdtemp(name.data()) != nullptr);
    return std::filesystem::path(name);
  }();
  static const struct Remover {
    ~Remover() {
      std::error_code ignored;
      std::filesystem::remove_all(kDir, ignored);
    }
  } kRemover;
  static const RunDir kRunDir = RunDir::Create(kDir);
  return kRunDir;
}

void InitializeOnce() {
  [[maybe_unused]] static const bool kDone = [] {
    static std::array<std::string, 3> words = {
        "session_fuzzer", "--benchmark_repetitions=2",
        "--benchmark_min_time=0.000000001" HVBENCH_MIN_TIME_SUFFIX};
    std::array<char*, 3> argv = {words[0].data(), words[1].data(), words[2].data()};
    int argc = 3;
    benchmark::Initialize(&argc, argv.data());
    return true;
  }();
}

}  // namespace
}  // namespace hvbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hvbench;  // NOLINT(google-build-using-namespace)
  InitializeOnce();
  Script script(data, size);
  Runtime runtime;
  runtime.kind = "native";  // what the run's end looks for, where a launch failed
  runtime.options.name = "hostile";
  runtime.launcher = std::make_unique<HostileLauncher>(script);
  GuestPoolOptions options;
  options.disk_mib = 1;
  GuestPool pool(TheRunDir(), {&runtime}, options);
  pool.on_boot = [](const std::string&, GuestKind, LiveGuest& guest) {
    for (const auto& [key, value] : guest.hello().facts) {
      for (const char c : key + value) Require(c >= 0x20 && c < 0x7F);
    }
  };
  RunSettings settings;
  settings.pool = &pool;
  settings.fixed_iterations = 1;
  settings.cell_timeout = std::chrono::seconds(5);
  benchmark::ClearRegisteredBenchmarks();
  for (const char* n : {"1", "2", "3"}) {
    Register(
        std::make_unique<RuntimeFixture>(CellName{"test/cell", {{"n", n}}, "hostile"}, settings));
  }
  BufferedReporter reporter(std::make_unique<benchmark::JSONReporter>(), [] {});
  std::ostringstream out;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  pool.ShutdownAll();
  const nlohmann::json json = nlohmann::json::parse(out.str(), nullptr, /*allow_exceptions=*/false);
  Require(!json.is_discarded());
  std::size_t rows = 0;
  for (const auto& row : json.at("benchmarks")) rows += row.at("run_type") == "iteration" ? 1 : 0;
  Require(rows == 6);
  return 0;
}

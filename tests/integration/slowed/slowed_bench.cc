// hvbench with runtimes that are known to be slower: "slowed-native" and "slowed-runc" start the
// same agent, told by a trailer behind its file to do more work in the kernel cpu/chain. A runtimes
// file says how much: {"name": "slow", "launcher": "slowed-native", "options": ["percent=3"]}.
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "benchmarks/suite.h"
#include "fixtures/runtime_set.h"
#include "runtime_launchers/launcher.h"
#include "tests/integration/slowed/slowed_bench.h"

namespace hvbench::slowed {
namespace {

std::uint64_t PercentOf(const RuntimeOptions& options) {
  constexpr std::string_view kKey = "percent=";
  std::uint64_t percent = 0;
  for (const std::string& option : options.options) {
    if (!option.starts_with(kKey)) throw Error("unknown option " + option);
    std::from_chars(option.data() + kKey.size(), option.data() + option.size(), percent);
  }
  return percent;
}

// Any launcher, with the trailer behind the agent that it is given.
class SlowedLauncher : public Launcher {
 public:
  SlowedLauncher(const std::string& kind, RuntimeOptions options) : percent_(PercentOf(options)) {
    options.options.clear();
    inner_ = MakeRuntime(kind, std::move(options)).launcher;
  }

  const std::string& name() const override { return inner_->name(); }

  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override {
    return inner_->Probe(depth, trial);
  }

  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override {
    LaunchRequest slowed = request;
    // Beside the guest's folder, which must be empty. All launchers copy it.
    slowed.agent = request.guest_dir.string() + ".slowed-agent";
    std::filesystem::copy_file(request.agent, slowed.agent);
    Trailer trailer;
    trailer.percent = percent_;
    std::ofstream(slowed.agent, std::ios::binary | std::ios::app)
        .write(reinterpret_cast<const char*>(&trailer), sizeof(trailer));
    std::unique_ptr<Guest> guest = inner_->Launch(slowed);
    std::filesystem::remove(slowed.agent);
    return guest;
  }

  void RemoveStale(const std::string& guest_id, const std::filesystem::path& guest_dir) override {
    std::filesystem::remove(guest_dir.string() + ".slowed-agent");
    inner_->RemoveStale(guest_id, guest_dir);
  }

 private:
  std::uint64_t percent_;
  std::unique_ptr<Launcher> inner_;
};

template <const char* kKind>
std::unique_ptr<Launcher> MakeSlowed(RuntimeOptions options) {
  return std::make_unique<SlowedLauncher>(kKind, std::move(options));
}

constexpr char kNative[] = "native";
constexpr char kRunc[] = "runc";

}  // namespace
}  // namespace hvbench::slowed

int main(int argc, char** argv) {
  using namespace hvbench::slowed;  // NOLINT(google-build-using-namespace)
  hvbench::RegisterLauncher({"slowed-native", MakeSlowed<kNative>});
  hvbench::RegisterLauncher({"slowed-runc", MakeSlowed<kRunc>});
  return hvbench::Main(argc, argv);
}

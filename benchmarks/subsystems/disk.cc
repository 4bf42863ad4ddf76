// Disk: whether the bytes of a cell reached the host's disks, and cold caches of the host.
#include <filesystem>
#include <optional>
#include <utility>

#include "benchmarks/subsystems/subsystem.h"
#include "fixtures/host_disk.h"
#include "fixtures/volume.h"

namespace hvbench {
namespace {

class DiskFixture : public RuntimeFixture {
 public:
  using RuntimeFixture::RuntimeFixture;

 protected:
  // The guest's own cache is the kernel's affair (Kernel::Settle); a file may be in the host's as
  // well, behind a gofer, a virtio device or a daemon.
  void BeforeRun(LiveGuest& guest) override {
    if (const auto ext4 = Ext4InVolume(guest.dir() / "volume"); std::filesystem::exists(ext4)) {
      DropHostCache(ext4);  // a file system of its own, to be written back before its image
    }
    DropHostCache(guest.dir());
    before_ = ReadHostDiskIo();
  }

  void AfterRun() override {
    const std::optional<HostDiskIo> after = ReadHostDiskIo();
    io_.reset();
    if (before_ && after) io_ = *after - *before_;
  }

  void AddCounters(const RunResult& result, benchmark::State& state) const override {
    RuntimeFixture::AddCounters(result, state);
    if (!io_) return;
    const auto iterations = static_cast<double>(result.iterations);
    const auto read = static_cast<double>(io_->read_bytes);
    const auto written = static_cast<double>(io_->written_bytes);
    state.counters["host_read_bytes"] = read / iterations;
    state.counters["host_written_bytes"] = written / iterations;
    const auto asked = iterations * static_cast<double>(work().bytes_per_iteration);
    if (asked > 0) state.counters[kHostIoCounter] = (read + written) / asked;
  }

 private:
  std::optional<HostDiskIo> before_;
  std::optional<HostDiskIo> io_;  // during the last run
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeDiskFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<DiskFixture>(std::move(cell), settings);
}

}  // namespace hvbench

#include "runtime_launchers/docker/image.h"

#include <archive.h>
#include <archive_entry.h>

#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/whole_file.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr char kRepository[] = "hvbench-agent";
constexpr char kApplicationRepository[] = "hvbench-application";
constexpr std::size_t kTagDigits = 12;

// A root file system with the agent and the directories that it needs.
std::string MakeImageTar(const fs::path& agent) {
  const std::string binary = WholeFile(agent, "agent");

  std::string tar;
  archive* writer = archive_write_new();
  archive_write_set_format_pax_restricted(writer);
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open(
      writer, &tar, nullptr,
      [](archive*, void* sink, const void* data, std::size_t size) -> la_ssize_t {
        static_cast<std::string*>(sink)->append(static_cast<const char*>(data), size);
        return static_cast<la_ssize_t>(size);
      },
      nullptr);
  const auto add = [&](const char* path, unsigned type, unsigned mode, const std::string& data) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_size(entry, static_cast<la_int64_t>(data.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, data.data(), data.size());
    archive_entry_free(entry);
  };
  add(kGuestAgent + 1, AE_IFREG, 0755, binary);
  add(kGuestScratch + 1, AE_IFDIR, 0755, "");
  add("tmp", AE_IFDIR, 01777, "");
  const bool complete = archive_write_close(writer) == ARCHIVE_OK;
  archive_write_free(writer);
  if (!complete) throw Error("cannot make a tar archive of the agent");
  return tar;
}

}  // namespace

std::string EnsureAgentImage(const DockerEngine& engine, const fs::path& agent, Deadline deadline) {
  const std::string tag = Sha256OfFile(agent).substr(0, kTagDigits);
  std::string reference = std::string(kRepository) + ":" + tag;
  if (!engine.HasImage(reference, deadline)) {
    engine.ImportImage(kRepository, tag, MakeImageTar(agent), deadline);
  }
  return reference;
}

std::string EnsureApplicationImage(const DockerEngine& engine, const GuestApplication& application,
                                   Deadline deadline) {
  const std::string tag = application.id.substr(0, kTagDigits);
  std::string reference = std::string(kApplicationRepository) + ":" + tag;
  if (!engine.HasImage(reference, deadline)) {
    std::string tar = WholeFile(application.archive, "application image");
    engine.ImportImage(kApplicationRepository, tag, std::move(tar), deadline);
  }
  return reference;
}

fs::path AgentOfImage(const DockerEngine& engine, const std::string& reference, Deadline deadline) {
  const auto image = engine.InspectImage(reference, deadline);
  // The storage driver overlay2 says where an image's upper layer is, which is the only one of an
  // image of one layer. containerd's image store, Docker 29's default, has no such field.
  const auto driver = image.is_object() ? image.value("GraphDriver", nlohmann::json()) : image;
  const auto data = driver.is_object() ? driver.value("Data", nlohmann::json()) : driver;
  const std::string layer = TextIn(data, "UpperDir");
  if (layer.empty()) {
    throw CannotRunHere("the Docker daemon's storage driver '" + TextIn(driver, "Name") +
                        "' does not say where an image's files are");
  }
  return fs::path(layer) / fs::path(kGuestAgent).relative_path();
}

}  // namespace hvbench

// What is of interest here in a configuration file of Kata Containers (TOML): the VMM's table.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace hvbench {

struct KataConfig {
  std::filesystem::path file;
  std::string table;                          // "hypervisor.qemu"
  std::map<std::string, std::string> values;  // those of the table that are text

  // "" where it is not there.
  std::string Get(const std::string& key) const;
};

// The first table of the file whose name begins with "hypervisor." and `vmm`; nothing if there is
// no such table or no such file. Error, with the place, for what is no TOML or cannot be read.
std::optional<KataConfig> ReadKataConfig(const std::filesystem::path& file, const std::string& vmm);

}  // namespace hvbench

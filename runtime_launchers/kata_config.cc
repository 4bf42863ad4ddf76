#include "runtime_launchers/kata_config.h"

#include <toml++/toml.h>

#include <string_view>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/whole_file.h"

namespace hvbench {
namespace {

toml::table ParseToml(const std::filesystem::path& file) {
  const std::string text = WholeFile(file, "configuration of Kata");
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw Error("Kata's configuration " + file.string() + " is no TOML: line " +
                std::to_string(error.source().begin.line) + ": " +
                std::string(error.description()));
  }
}

}  // namespace

std::string KataConfig::Get(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

std::optional<KataConfig> ReadKataConfig(const std::filesystem::path& file,
                                         const std::string& vmm) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return std::nullopt;
  const toml::table whole = ParseToml(file);
  const toml::table* const hypervisors = whole["hypervisor"].as_table();
  if (hypervisors == nullptr) return std::nullopt;
  // The library has them in the order of their names.
  const toml::table* first = nullptr;
  KataConfig config;
  for (const auto& [name, node] : *hypervisors) {
    const toml::table* const table = node.as_table();
    if (table == nullptr || !name.str().starts_with(vmm)) continue;
    if (first != nullptr && first->source().begin < table->source().begin) continue;
    first = table;
    config.table = "hypervisor." + std::string(name.str());
  }
  if (first == nullptr) return std::nullopt;
  config.file = file;
  for (const auto& [key, node] : *first) {
    if (const auto text = node.value_exact<std::string>()) {
      config.values.emplace(key.str(), *text);
    }
  }
  return config;
}

}  // namespace hvbench

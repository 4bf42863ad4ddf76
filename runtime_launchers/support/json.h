// nlohmann::json, whose members are compiled once, in json.cc: in each file that uses it they took
// a third of the time to build.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

extern template class nlohmann::basic_json<>;

namespace hvbench {

using Json = nlohmann::json;

// JSON for a program or a file that takes names and paths as they are. Throws Error with the text
// in question if one is not UTF-8, which JSON cannot hold (RFC 8259, section 8.1). `indent` is of
// each level, in spaces; -1: all on one line.
std::string WriteJson(const Json& json, int indent = -1);

// `text` as a JSON string shows it between its quotes: escaped, on one line, and with U+FFFD for
// what is not UTF-8.
std::string EscapedAsJson(const std::string& text);

bool IsUtf8(const std::string& text);

}  // namespace hvbench

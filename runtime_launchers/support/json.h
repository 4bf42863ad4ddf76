// nlohmann::json, whose members are compiled once, in json.cc: in each file that uses it they took
// a third of the time to build.
#pragma once

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;

namespace hvbench {

using Json = nlohmann::json;

}  // namespace hvbench

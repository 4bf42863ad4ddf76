#include "runtime_launchers/support/json.h"

#include "runtime_launchers/support/error.h"

template class nlohmann::basic_json<>;

namespace hvbench {
namespace {

// The first text in it, of a name or of a value, that is not UTF-8; "" if there is none.
std::string TextThatIsNotUtf8(const Json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    return IsUtf8(text) ? "" : text;
  }
  if (!json.is_structured()) return "";
  for (const auto& [name, value] : json.items()) {
    if (!IsUtf8(name)) return name;
    if (std::string text = TextThatIsNotUtf8(value); !text.empty()) return text;
  }
  return "";
}

}  // namespace

bool IsUtf8(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string EscapedAsJson(const std::string& text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

std::string WriteJson(const Json& json, int indent) {
  try {
    return json.dump(indent);
  } catch (const Json::exception&) {
    throw Error("'" + EscapedAsJson(TextThatIsNotUtf8(json)) +
                "' is not UTF-8, which JSON cannot hold: use a name or a path that is");
  }
}

}  // namespace hvbench

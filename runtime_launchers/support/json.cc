#include "runtime_launchers/support/json.h"

template class nlohmann::basic_json<>;

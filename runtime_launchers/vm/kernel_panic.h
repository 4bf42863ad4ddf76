// What a guest kernel says on its console when it gives up.
#pragma once

#include <string>

namespace hvbench {

// The reason behind "Kernel panic - not syncing: ", without its time stamp; "" if there is none.
std::string PanicIn(const std::string& console);

}  // namespace hvbench

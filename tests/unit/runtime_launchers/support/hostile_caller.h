// A caller whose process state a guest must not inherit.
#pragma once

#include <functional>
#include <string>

namespace hvbench {

// Umask, limits, priority, environment, signals, ... of this process and what it starts. Whether it
// may raise its limits again depends on `with_resource_capability` (CAP_SYS_RESOURCE).
void BecomeHostileCaller(bool with_resource_capability);

// What `body` returns in a child of this process; the text of its exception where it throws one.
std::string InChild(const std::function<std::string()>& body);

}  // namespace hvbench

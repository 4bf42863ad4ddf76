// A caller whose process state a guest must not inherit.
#pragma once

#include <functional>
#include <string>

namespace hvbench {

// Umask, limits, priority, environment, signals, ... of this process and what it starts. Limits are
// lowered as far as every process may raise them again.
void BecomeHostileCaller();

// Lowers hard limits as well, to 4096 files and no locked memory.
void LowerHardLimits();

// What it takes to raise those again (CAP_SYS_RESOURCE).
bool HasResourceCapability();
void DropResourceCapability();

// What `body` returns in a child of this process; the text of its exception where it throws one.
std::string InChild(const std::function<std::string()>& body);

}  // namespace hvbench

// The state that every guest and every helper process starts in, whatever the state of this
// program's caller is. Its values stand here alone: natively started programs get them between
// clone(2) and execve(2), containers through their specification, machines through their agent.
// What a runtime cannot be given shows in the guest's fact process_state.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace hvbench {

inline constexpr mode_t kStatedUmask = 0022;
inline constexpr int kStatedOomScoreAdj = 0;

struct ResourceLimit {
  int resource;      // RLIMIT_CPU, ...
  const char* name;  // "cpu", as Docker has it; "RLIMIT_CPU" of an OCI bundle is made of it
  rlim_t soft;
  rlim_t hard;
};

// Those that are stated, in the order of their numbers. This program's own hard limits are raised
// to them; where it may not (setrlimit(2)) they stay, and all guests alike get what it has.
std::vector<ResourceLimit> GuestLimits();

// "cpu:unlimited:unlimited,nofile:1024:524288,...": GuestLimits for the agent's --limits.
std::string GuestLimitsText();

// GuestLimits and AgentEnvironment as options of a machine's agent, which is the first process
// there: " --limits=... --variable=...".
std::string StateOptionsOfMachine();

// The environment of the agent and of helpers, "NAME=value", the same in every guest.
const std::vector<std::string>& AgentEnvironment();

// As the agent's fact process_state has it, "umask:0022 nice:0 ...", with GuestLimits.
std::string StatedProcessState();

// "a:1 b:2" and "a:1 b:3 c:4" give {"b:3 instead of b:2"}: values that differ, and no others. A
// guest that cannot tell a value leaves it out.
std::vector<std::string> DifferencesOfState(const std::string& actual, const std::string& stated);

// Whether kStatedOomScoreAdj may be set: without CAP_SYS_RESOURCE it cannot be lower than what
// somebody with that capability has set before (proc(5)). Tried in a child.
bool MaySetOomScoreAdj();

// In a child between clone(2) and execve(2), which shares this program's memory: allocates nothing.
// What the kernel refuses stays as it was. `limits`: GuestLimits(). Last of all steps: afterwards
// there is room for few descriptors.
void EnterStatedState(const std::vector<ResourceLimit>& limits) noexcept;

// For this program itself, at its start: sets what shows in the files that it makes and in the
// times that it takes, and the limits that would end it. Its limits are raised and never lowered.
void StateOwnProcess();

}  // namespace hvbench

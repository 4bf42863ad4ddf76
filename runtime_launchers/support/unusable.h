// Why a runtime cannot be used on this machine, as a probe reports it.
#pragma once

#include <string>

namespace hvbench {

struct Unusable {
  std::string reason;
  std::string fix;  // "" if none is known
};

}  // namespace hvbench

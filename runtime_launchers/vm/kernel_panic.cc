#include "runtime_launchers/vm/kernel_panic.h"

#include <string_view>

namespace hvbench {

std::string PanicIn(const std::string& console) {
  constexpr std::string_view kPanic = "Kernel panic - not syncing: ";
  const std::size_t at = console.find(kPanic);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kPanic.size();
  return console.substr(begin, console.find('\n', begin) - begin);
}

}  // namespace hvbench

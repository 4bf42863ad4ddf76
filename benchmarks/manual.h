// The manual page and the shells' completions, out of the definitions of the flags themselves.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace hvbench {

// hvbench(1) in the macros of man(7).
std::string ManualPage(const CLI::App& app);

// For bash; zsh takes the same behind its bashcompinit.
std::string BashCompletion(const CLI::App& app);

// The commands `manual` and `completion`, as AddFileCommands adds its own. To be called last: they
// know of what was added before.
void AddManualCommands(CLI::App& app, std::function<int()>& chosen);

}  // namespace hvbench

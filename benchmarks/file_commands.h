// The commands that work on files of results and start no guest.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hvbench {

// Adds them to `app`. Parsing one of them sets `chosen` to what does its work: it returns the exit
// status, and throws Error. `chosen` outlives the app.
void AddFileCommands(CLI::App& app, std::function<int()>& chosen);

}  // namespace hvbench

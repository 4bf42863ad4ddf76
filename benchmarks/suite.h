// The program.
#pragma once

namespace hvbench {

// All of `hvbench`, for a main() that may first call RegisterLauncher. Returns the exit status.
int Main(int argc, char** argv);

}  // namespace hvbench

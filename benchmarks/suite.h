// The program.
#pragma once

namespace hvbench {

// Exit status, a contract (README.md).
enum ExitStatusCode {
  kExitMeasured = 0,       // all measured or skipped with a reason
  kExitFailed = 1,         // some benchmark failed, or an output could not be written
  kExitUsage = 2,          // wrong usage, or a runtime that was named is unusable
  kExitNoMatch = 3,        // the filter matched nothing
  kExitInterrupted = 130,  // by SIGINT, SIGTERM, SIGHUP, ...; the JSON is valid
};

// All of `hvbench`, for a main() that may first call RegisterLauncher. Returns the exit status.
int Main(int argc, char** argv);

}  // namespace hvbench

// What the program ends with.
#pragma once

namespace hvbench {

// A contract (README.md).
enum ExitStatusCode {
  kExitMeasured = 0,       // all measured or skipped with a reason
  kExitFailed = 1,         // some benchmark failed, or an output could not be written
  kExitUsage = 2,          // wrong usage, or a runtime that was named is unusable
  kExitNoMatch = 3,        // the filter matched nothing
  kExitInterrupted = 130,  // by SIGINT, SIGTERM, SIGHUP, ...; the JSON is valid
};

}  // namespace hvbench

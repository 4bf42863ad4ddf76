// The host's exceptions. The agent's are in fixtures/agent/kernel.h.
#pragma once

#include <stdexcept>
#include <string>

namespace hvbench {

// Something failed; the text is for people: what failed, why, and what to do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Error with ": " and strerror(system_error) behind the text.
class SystemError : public Error {
 public:
  SystemError(const std::string& what, int system_error);
  int system_error() const { return system_error_; }

 private:
  int system_error_;
};

// What was asked for is not to be had on this machine: a cell that needs it is skipped.
class CannotRunHere : public Error {
 public:
  using Error::Error;
};

// A wait passed its deadline.
class TimedOut : public Error {
 public:
  using Error::Error;
};

// A signal ended the program in order (CatchInterrupts).
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace hvbench

// The signals that end the program, as something that a wait can see. State of the process: there
// is one.
#pragma once

#include <functional>
#include <string>

namespace hvbench {

// The exit status of a program that a signal ended, as shells have it for SIGINT.
inline constexpr int kInterruptedStatus = 130;

// From now on the first SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM or SIGXCPU
// makes InterruptRequested() true and InterruptFd() readable for good, and prints `notice` on
// standard error. A second one runs the last resort and ends the program, with kInterruptedStatus,
// within a second. No second one are: what comes within a quarter of a second, since timeout(1) and
// shells send a signal twice, and SIGHUP, in which nobody is impatient. What was ignored when the
// program started, as nohup(1) does with SIGHUP, stays so. SIGPIPE and SIGXFSZ are ignored: who
// writes sees EPIPE and EFBIG. Call it once, before threads are started.
void CatchInterrupts(std::string notice = "");

// What a second one does, in a thread beside all others; empty: nothing.
void SetLastResort(std::function<void()> last_resort);

// To be called at the program's end: does not return while the last resort is at work.
void AwaitLastResort();

bool InterruptRequested();

// An eventfd for poll(2); readable once interrupted. -1 before CatchInterrupts.
int InterruptFd();

// For tests, and for what must end the run as a signal does.
void RequestInterrupt();

}  // namespace hvbench

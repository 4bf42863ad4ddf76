// SIGINT and SIGTERM as something that a wait can see. State of the process: there is one.
#pragma once

namespace hvbench {

// From now on the first SIGINT or SIGTERM makes Interrupted() true and InterruptFd() readable for
// good; a second one ends the program at once. Call it once, before threads are started.
void CatchInterrupts();

bool InterruptRequested();

// An eventfd for poll(2); readable once interrupted. -1 before CatchInterrupts.
int InterruptFd();

// For tests.
void RequestInterrupt();

}  // namespace hvbench

#include "runtime_launchers/support/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

using std::chrono::seconds;

// The states follow each other in one process, so they are one test.
TEST(Interrupt, ASignalEndsInterruptibleWaitsForGood) {
  CatchInterrupts();
  ASSERT_GE(InterruptFd(), 0);
  EXPECT_FALSE(InterruptRequested());
  EXPECT_FALSE(WaitReadable(InterruptFd(), Deadline(), false));

  raise(SIGTERM);
  EXPECT_TRUE(InterruptRequested());
  EXPECT_TRUE(WaitReadable(InterruptFd(), Deadline(), false));
  EXPECT_TRUE(WaitReadable(InterruptFd(), Deadline(), false));

  auto [read_end, write_end] = MakePipe();
  EXPECT_THROW(WaitReadable(read_end.get(), Deadline::In(seconds(10)), true), Interrupted);
  EXPECT_FALSE(WaitReadable(read_end.get(), Deadline::In(std::chrono::milliseconds(10)), false));
  EXPECT_THROW(RunCommand({"/bin/sleep", "10"}, Deadline::In(seconds(10))), Interrupted);
  EXPECT_TRUE(RunCommand({"/bin/true"}, Deadline::In(seconds(10)), /*interruptible=*/false)
                  .status.success());

  // A second one has its default action.
  EXPECT_EXIT(raise(SIGINT), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace hvbench

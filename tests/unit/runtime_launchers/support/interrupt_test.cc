#include "runtime_launchers/support/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

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

  raise(SIGHUP);
  EXPECT_TRUE(InterruptRequested());
  EXPECT_TRUE(WaitReadable(InterruptFd(), Deadline(), false));
  EXPECT_TRUE(WaitReadable(InterruptFd(), Deadline(), false));

  auto [read_end, write_end] = MakePipe();
  EXPECT_THROW(WaitReadable(read_end.get(), Deadline::In(seconds(10)), true), Interrupted);
  EXPECT_FALSE(WaitReadable(read_end.get(), Deadline::In(std::chrono::milliseconds(10)), false));
  EXPECT_THROW(RunCommand({"/bin/sleep", "10"}, Deadline::In(seconds(10))), Interrupted);
  EXPECT_TRUE(RunCommand({"/bin/true"}, Deadline::In(seconds(10)), /*interruptible=*/false)
                  .status.success());
}

// Each of these is a process of its own.
class InterruptDeathTest : public ::testing::Test {
 protected:
  InterruptDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  // A program that catches signals, does `work`, and would end with 3 only after a while.
  [[noreturn]] static void Run(const std::function<void()>& work) {
    CatchInterrupts("a notice\n");
    work();
    std::this_thread::sleep_for(seconds(10));
    _exit(3);
  }

  // Past the time in which a signal counts as the same request.
  static void RaiseTwice(int first, int second) {
    raise(first);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    raise(second);
  }

  static constexpr int kExpected = 7;
};

TEST_F(InterruptDeathTest, ASecondOneRunsTheLastResortAndEndsTheProgram) {
  for (const int signal_number : {SIGINT, SIGTERM, SIGQUIT}) {
    EXPECT_EXIT(Run([&] {
                  SetLastResort([] { std::fputs("the last resort\n", stderr); });
                  RaiseTwice(SIGINT, signal_number);
                }),
                ::testing::ExitedWithCode(kInterruptedStatus), "a notice\nthe last resort\n");
  }
}

TEST_F(InterruptDeathTest, ALastResortThatHangsIsNotWaitedFor) {
  EXPECT_EXIT(Run([] {
                SetLastResort([] { std::this_thread::sleep_for(seconds(30)); });
                RaiseTwice(SIGINT, SIGINT);
              }),
              ::testing::ExitedWithCode(kInterruptedStatus), "");
}

TEST_F(InterruptDeathTest, TheEndOfTheProgramWaitsForTheLastResort) {
  EXPECT_EXIT(Run([] {
                SetLastResort([] {
                  std::this_thread::sleep_for(std::chrono::milliseconds(200));
                  std::fputs("all of it\n", stderr);
                });
                RaiseTwice(SIGINT, SIGINT);
                AwaitLastResort();
                _exit(4);
              }),
              ::testing::ExitedWithCode(kInterruptedStatus), "all of it");
}

// As timeout(1) and a hang-up of the terminal send them.
TEST_F(InterruptDeathTest, TheSameRequestTwiceIsOne) {
  EXPECT_EXIT(Run([] {
                raise(SIGTERM);
                raise(SIGTERM);
                RaiseTwice(SIGHUP, SIGHUP);
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                AwaitLastResort();
                _exit(InterruptRequested() ? kExpected : 4);
              }),
              ::testing::ExitedWithCode(kExpected), "");
}

TEST_F(InterruptDeathTest, WhatLimitsAndBatchSystemsSendIsAnEndInOrder) {
  for (const int signal_number : {SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    EXPECT_EXIT(Run([&] {
                  raise(signal_number);
                  _exit(InterruptRequested() ? kExpected : 4);
                }),
                ::testing::ExitedWithCode(kExpected), "");
  }
}

TEST_F(InterruptDeathTest, WhatWasIgnoredAtTheStartStaysSo) {
  for (const int signal_number :
       {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    EXPECT_EXIT(
        {
          signal(signal_number, SIG_IGN);
          Run([&] {
            raise(signal_number);
            _exit(InterruptRequested() ? 4 : kExpected);
          });
        },
        ::testing::ExitedWithCode(kExpected), "");
  }
}

TEST_F(InterruptDeathTest, AClosedPipeIsAnErrorOfTheWriter) {
  EXPECT_EXIT(Run([] {
                auto [read_end, write_end] = MakePipe();
                read_end.Reset();
                _exit(write(write_end.get(), "x", 1) < 0 && errno == EPIPE ? kExpected : 4);
              }),
              ::testing::ExitedWithCode(kExpected), "");
}

}  // namespace
}  // namespace hvbench

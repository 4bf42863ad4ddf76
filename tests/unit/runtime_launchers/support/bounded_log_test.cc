#include "runtime_launchers/support/bounded_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

Deadline AfterWriting() { return Deadline::In(std::chrono::seconds(60)); }

void Write(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    ASSERT_GT(count, 0);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

TEST(BoundedLog, HasWhatWasWrittenBeforeTheCall) {
  BoundedLog log;
  EXPECT_EQ(log.Tail(), "");
  Write(log.writer(), "one\ntwo\x1b[2J\n");
  EXPECT_EQ(log.Tail(), "one\ntwo?[2J");
  EXPECT_EQ(log.Excerpt(), "one\ntwo?[2J");
  EXPECT_EQ(log.Tail(9), "two?[2J");
  EXPECT_EQ(log.total_bytes(), 12u);
  log.CloseWriter();
  EXPECT_EQ(log.Tail(), "one\ntwo?[2J");
}

// The writer blocks for good unless somebody reads while this thread does not.
TEST(BoundedLog, HoldsNobodyBackAndKeepsTheHeadAndTheTail) {
  constexpr int kLines = 1'000'000;  // 40 MB
  BoundedLog log;
  Write(log.writer(), "the first line\n");
  std::string lines;
  for (int i = 0; i < kLines; ++i) {
    lines += "line " + std::to_string(10'000'000 + i) + " of many that say no more\n";
    if (i % 1000 == 999) Write(log.writer(), std::exchange(lines, {}));
  }
  const std::string tail = log.Tail();
  EXPECT_LE(tail.size(), kLogTailBytes);
  EXPECT_TRUE(tail.starts_with("line 1")) << tail.substr(0, 50);
  EXPECT_TRUE(tail.ends_with("line 10999999 of many that say no more")) << tail;
  const std::string excerpt = log.Excerpt();
  EXPECT_LE(excerpt.size(), kLogTailBytes);
  EXPECT_TRUE(excerpt.starts_with("the first line\nline 10000000 ")) << excerpt.substr(0, 50);
  EXPECT_NE(excerpt.find("\n[... 36 MiB were left out ...]\nline 109"), std::string::npos)
      << excerpt;
  EXPECT_TRUE(excerpt.ends_with("line 10999999 of many that say no more")) << excerpt;
  EXPECT_EQ(log.Tail(kBoundedLogBytes).size() / 100'000, kBoundedLogBytes / 2 / 100'000)
      << "no more than the ring is without a gap";
}

TEST(BoundedLog, AFileThatAProgramOpensIsAFifo) {
  const TemporaryDir dir;
  const std::filesystem::path path = dir.path() / "console.log";
  const BoundedLog log(path);
  for (const char* redirection : {" > ", " >> ", " 1<> "}) {
    const CommandResult result = RunCommand(
        {"/bin/sh", "-c", std::string("echo as") + redirection + path.string()}, AfterWriting());
    EXPECT_TRUE(result.status.success()) << result.output;
  }
  EXPECT_EQ(log.Tail(), "as\nas\nas");
  const CommandResult flood = RunCommand(
      {"/bin/sh", "-c", "head -c 20000000 /dev/zero > " + path.string()}, AfterWriting());
  EXPECT_TRUE(flood.status.success()) << flood.output;
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
  EXPECT_EQ(info.st_size, 0);
  EXPECT_EQ(info.st_blocks, 0);
  EXPECT_THROW(BoundedLog second(path), SystemError) << "it is there";
}

TEST(BoundedLog, ManyWritersOfOneLogAndManyLogs) {
  std::vector<std::unique_ptr<BoundedLog>> logs;
  std::vector<Process> writers;
  for (int i = 0; i < 20; ++i) {
    logs.push_back(std::make_unique<BoundedLog>());
    SpawnOptions options;
    options.stdout_fd = options.stderr_fd = logs.back()->writer();
    writers.push_back(Process::Spawn(
        {"/bin/sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' 'x'; echo " + std::to_string(i)},
        options));
    logs.back()->CloseWriter();
  }
  for (std::size_t i = 0; i < writers.size(); ++i) {
    ASSERT_TRUE(writers[i].Wait(AfterWriting()).has_value()) << "a writer is held back";
    EXPECT_TRUE(logs[i]->Tail(100).ends_with("x" + std::to_string(i))) << logs[i]->Tail(100);
  }
}

TEST(RunCommand, EndsWhatPrintsWithoutEnd) {
  const auto begin = Deadline::Clock::now();
  try {
    RunCommand({"/bin/sh", "-c", "exec yes flood"}, AfterWriting());
    FAIL() << "no error";
  } catch (const TimedOut&) {
    FAIL() << "only its deadline ended it";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("prints without end"), std::string::npos) << text;
    EXPECT_LT(text.size(), 3 * kLogTailBytes) << "each line of the quote is indented";
  }
  EXPECT_LT(Deadline::Clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace hvbench

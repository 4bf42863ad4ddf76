#include "benchmarks/text/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace hvbench {
namespace {

namespace fs = std::filesystem;

class OutputTest : public ::testing::Test {
 protected:
  OutputTest() {
    std::string name = (fs::temp_directory_path() / "hvbench-output-XXXXXX").string();
    dir_ = mkdtemp(name.data());
  }
  ~OutputTest() override { fs::remove_all(dir_); }

  static std::string Contents(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  std::size_t Files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }

  fs::path dir_;
};

TEST_F(OutputTest, ReplacesAFileWholeAndKeepsItsMode) {
  const fs::path file = dir_ / "r.json";
  std::ofstream(file) << "old";
  chmod(file.c_str(), 0640);
  const std::ifstream reader(file);  // as a program that reads it meanwhile
  WriteFile(file, "new");
  EXPECT_EQ(Contents(file), "new");
  std::ostringstream seen;
  seen << reader.rdbuf();
  EXPECT_EQ(seen.str(), "old");
  EXPECT_EQ(fs::status(file).permissions(), fs::perms(0640));
  EXPECT_EQ(Files(), 1u) << "nothing else is left";
}

TEST_F(OutputTest, ReplacesWhatALinkLeadsTo) {
  fs::create_directory(dir_ / "there");
  std::ofstream(dir_ / "there/r.json") << "old";
  for (const char* target : {"there/r.json", "there/not_yet.json"}) {
    fs::remove(dir_ / "link");
    fs::create_symlink(target, dir_ / "link");
    WriteFile(dir_ / "link", "new");
    EXPECT_TRUE(fs::is_symlink(dir_ / "link"));
    EXPECT_EQ(Contents(dir_ / target), "new");
  }
}

TEST_F(OutputTest, WritesToADeviceAndToAPipe) {
  EXPECT_FALSE(IsReplaceable("/dev/null"));
  WriteFile("/dev/null", "text");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const fs::path pipe = dir_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int fd = open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  WriteFile(pipe, "text");
  char text[5] = {};
  EXPECT_EQ(read(fd, text, 4), 4);
  EXPECT_STREQ(text, "text");
  close(fd);
}

TEST_F(OutputTest, SaysWhatCannotBeWritten) {
  std::ofstream(dir_ / "file") << "";
  for (const fs::path& file : {fs::path("/dev/full"), dir_ / "file/r.json", dir_ / "no/r.json"}) {
    try {
      WriteFile(file, "text");
      ADD_FAILURE() << file << " was written";
    } catch (const OutputError& error) {
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(Files(), 1u);
}

TEST_F(OutputTest, ChecksBeforehandWithoutATrace) {
  std::ofstream(dir_ / "file") << "old";
  CheckWritable("");
  CheckWritable("/dev/null");
  CheckWritable(dir_ / "file");
  CheckWritable(dir_ / "new");
  EXPECT_EQ(Contents(dir_ / "file"), "old");
  EXPECT_EQ(Files(), 1u);
  EXPECT_THROW(CheckWritable(dir_), OutputError);
  EXPECT_THROW(CheckWritable(dir_ / "file/r.json"), OutputError);
  EXPECT_THROW(CheckWritable("/nonexistent/r.json"), OutputError);
}

}  // namespace
}  // namespace hvbench

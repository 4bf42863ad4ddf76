#include "runtime_launchers/support/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <fstream>
#include <sstream>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

constexpr std::size_t kBytes = 1 << 20;

class PageCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    struct statfs info = {};
    if (statfs(file_.parent_path().c_str(), &info) != 0 || info.f_type == TMPFS_MAGIC) {
      GTEST_SKIP() << "the temporary folder is in memory";
    }
    std::ofstream(file_) << std::string(kBytes, 'x');
  }

  TemporaryDir dir_;
  std::filesystem::path file_ = dir_.path() / "file";
};

TEST_F(PageCacheTest, EvictsAFileThatWasJustWrittenAndKeepsItsContent) {
  EXPECT_EQ(CachedBytes(file_), static_cast<std::int64_t>(kBytes));
  EvictFromPageCache(file_);
  EXPECT_LE(CachedBytes(file_), static_cast<std::int64_t>(kBytes / 20));
  std::ostringstream content;
  content << std::ifstream(file_).rdbuf();
  EXPECT_EQ(content.str(), std::string(kBytes, 'x'));
  EXPECT_EQ(CachedBytes(file_), static_cast<std::int64_t>(kBytes));
}

TEST_F(PageCacheTest, SaysWhatItCannotEvict) {
  const UniqueFd fd(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  void* const mapped = mmap(nullptr, kBytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  try {
    EvictFromPageCache(file_);
    ADD_FAILURE() << "evicted what is mapped";
  } catch (const CannotRunHere& error) {
    EXPECT_NE(std::string(error.what()).find(file_.string()), std::string::npos) << error.what();
  }
  munmap(mapped, kBytes);
  EXPECT_NO_THROW(EvictFromPageCache(file_));
}

TEST_F(PageCacheTest, AProgramsLibrariesMayStay) {
  const std::filesystem::path program = dir_.path() / "program";
  std::filesystem::copy_file("/bin/true", program);
  EvictProgram(program);  // the C library is this program's own, too
  EXPECT_LE(CachedBytes(program) * 20, static_cast<std::int64_t>(file_size(program)));
}

TEST_F(PageCacheTest, AFileThatIsNotThereIsAnError) {
  EXPECT_THROW(EvictFromPageCache(dir_.path() / "none"), SystemError);
  EXPECT_THROW(CachedBytes(dir_.path() / "none"), SystemError);
}

}  // namespace
}  // namespace hvbench

#include "runtime_launchers/support/file_hash.h"

#include <gtest/gtest.h>

#include <fstream>

#include "runtime_launchers/support/error.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

TEST(Sha256OfFile, HashesAndSeesChanges) {
  const TemporaryDir dir;
  const std::filesystem::path file = dir.path() / "file";
  std::ofstream(file) << "abc";
  // FIPS 180-2, appendix B.1.
  constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(Sha256OfFile(file), kAbc);
  EXPECT_EQ(Sha256OfFile(file), kAbc);
  std::ofstream(file) << "abcd";
  EXPECT_NE(Sha256OfFile(file), kAbc);
}

TEST(Sha256OfFile, AMissingFileIsAnError) {
  EXPECT_THROW(Sha256OfFile("/nonexistent/file"), SystemError);
}

}  // namespace
}  // namespace hvbench

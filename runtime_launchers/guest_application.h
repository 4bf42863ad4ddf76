// The root file system with the servers of the application subsystems, as one guest gets it. How it
// is made and kept is fixtures/images' business.
#pragma once

#include <filesystem>
#include <string>

namespace hvbench {

// What a launcher can give to its guest.
enum class ApplicationForm {
  kNone,       // this runtime cannot be given one
  kDirectory,  // a directory tree of the host
  kImage,      // an image in a daemon's own store
  kDisk,       // a block device with ext4 on it
};

struct GuestApplication {
  ApplicationForm form = ApplicationForm::kDirectory;
  // kDirectory: for this guest alone, which may write to it. kImage: the tree that is imported; it
  // is shared, and must stay as it is.
  std::filesystem::path root;
  std::string id;              // of the tree's content: [0-9a-f]+
  std::filesystem::path disk;  // kDisk: a raw file, for this guest alone
};

}  // namespace hvbench

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
  kDisk,       // LaunchRequest::root_image
};

struct GuestApplication {
  ApplicationForm form = ApplicationForm::kDirectory;
  std::filesystem::path root;     // kDirectory: for this guest alone, which may write to it
  std::filesystem::path archive;  // kImage: the tree as a tar file, shared by all
  std::string id;                 // of the tree's content: [0-9a-f]+
};

}  // namespace hvbench

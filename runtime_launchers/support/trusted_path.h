// Who decides what root executes, boots and writes to: everybody who may replace one component of a
// path. The rule, for each of them from "/" on, links and what they lead to included:
//  - it belongs to root or to this user;
//  - nobody else may write to it. A group may whose members are but those two. So may everybody to
//    a directory with the sticky bit, such as /tmp, on the way to something that is ours: no other
//    user can rename or remove that.
// What passed once stays so: only root and this user could change it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// Names the component, who could change it, and the command that mends it.
class UntrustedPath : public Error {
 public:
  using Error::Error;
};

enum class TrustedOwners {
  kOwn,       // root and this user: of what hvbench keeps
  kPrograms,  // and those who could replace hvbench itself: who called sudo, and whose folders it
              // was started from
};

// Throws UntrustedPath, or SystemError for what cannot be looked at. What does not exist passes.
void RequireTrusted(const std::filesystem::path& path, TrustedOwners owners);

// As RequireTrusted with kOwn, and makes the directories that are missing, with mode 0700.
UniqueFd MakeTrustedDirectory(const std::filesystem::path& path);

// Below: a name in an opened directory that is trusted, never through a link.

// A directory with mode 0700, made unless it is there. Throws UntrustedPath if that is another
// user's, else SystemError.
UniqueFd MakeDirectoryAt(int dir, const std::string& name);

// Nothing if there is none. Throws as MakeDirectoryAt.
UniqueFd OpenDirectoryAt(int dir, const std::string& name);

// open(2)'s result, with its errno: ELOOP for a link. Throws UntrustedPath for what is no regular
// file, or not ours alone to write to.
UniqueFd OpenFileAt(int dir, const std::string& name, int flags, mode_t mode = 0600);

// The whole content. Throws as OpenFileAt, and SystemError.
std::string ReadFileAt(int dir, const std::string& name);

// Replaces the file, whole or not at all, by one with mode 0600. Throws Error.
void WriteFileAt(int dir, const std::string& name, std::string_view bytes);

// Copies a program to a path where there is nothing yet, with mode 0755. Returns the copy, to be
// read and executed: it stays what it is, whoever replaces the file of that name. Throws
// SystemError.
UniqueFd CopyProgram(const std::filesystem::path& program, const std::filesystem::path& copy);

}  // namespace hvbench

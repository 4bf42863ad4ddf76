// Where the program's output goes, and whether it got there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "runtime_launchers/support/error.h"

namespace hvbench {

// An output could not be written: exit status 1, whatever was measured.
class OutputError : public Error {
 public:
  using Error::Error;
};

// Opens the standard streams that the caller closed, before a file of ours takes their numbers:
// what is written to such a standard output fails. Call it before anything is opened.
void OpenStandardStreams();

// Throws OutputError if not all of it was written.
void FlushStandardOutput();

// Whether that file is replaced whole, with others beside it on the way; not so a device or a pipe.
bool IsReplaceable(const std::filesystem::path& file);

// Throws OutputError if a run could not write its results there, and to the files beside it.
void CheckWritable(const std::filesystem::path& file);

// The file has either the old text or all of the new one, also after a loss of power; a device or a
// pipe just gets it. Only one program may write to that file at a time. Throws OutputError.
void WriteFile(const std::filesystem::path& file, std::string_view text);

// The names of the files in the folder to the disk, where its file system can.
void SyncFolder(const std::filesystem::path& dir);

}  // namespace hvbench

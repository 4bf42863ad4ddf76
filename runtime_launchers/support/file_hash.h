// Identity of the binaries that a result was measured with.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hvbench {

// SHA-256 of a file's content in lower-case hexadecimal. Kept for files that did not change
// since, because it is asked for at each launch. Throws SystemError if it cannot be read.
std::string Sha256OfFile(const std::filesystem::path& file);

std::string Sha256OfText(std::string_view text);

}  // namespace hvbench

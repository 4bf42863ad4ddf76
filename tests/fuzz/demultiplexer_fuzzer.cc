// An attached container's stream: however it is divided, it means the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fixtures/exec_bridge/stream_demultiplexer.h"

namespace {

struct Result {
  bool well_formed = true;
  std::string output;
  std::string errors;
};

Result Feed(std::string_view stream, std::size_t step) {
  hvbench::StreamDemultiplexer demultiplexer;
  Result result;
  while (!stream.empty() && result.well_formed) {
    const std::string_view part = stream.substr(0, std::min(step, stream.size()));
    stream.remove_prefix(part.size());
    result.well_formed = demultiplexer.Feed(part, result.output);
  }
  result.errors = demultiplexer.errors();
  // Once lost, lost for good.
  if (!result.well_formed && demultiplexer.Feed("\x01", result.output)) std::abort();
  return result;
}

}  // namespace

// The first byte is the size of a step.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Result whole = Feed(stream, size);
  const Result parts = Feed(stream, std::size_t{1} + data[0]);
  const bool same = whole.well_formed == parts.well_formed && whole.output == parts.output &&
                    whole.errors == parts.errors;
  if (!same || whole.output.size() + whole.errors.size() > size) std::abort();
  return 0;
}

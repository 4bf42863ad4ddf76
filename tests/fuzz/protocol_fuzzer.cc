// What a hostile guest may send: frames in a stream, and payloads past the checksum that random
// bytes never get right.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fixtures/protocol/messages.h"

namespace {

using hvbench::protocol::Frame;
using hvbench::protocol::FrameDecoder;
using hvbench::protocol::FrameStatus;

void Require(bool condition) {
  if (!condition) std::abort();
}

Frame FirstFrameOf(std::string_view bytes) {
  FrameDecoder decoder;
  decoder.Append(bytes);
  Frame frame;
  Require(decoder.Next(frame) == FrameStatus::kFrame);
  Require(decoder.buffered_bytes() == 0);
  return frame;
}

// There is one form of each message, so what decodes must encode to the same bytes.
void CheckMessage(const Frame& frame) {
  const auto message = hvbench::protocol::Decode(frame);
  if (!message) return;
  const Frame again = FirstFrameOf(hvbench::protocol::Encode(*message, frame.request_id));
  Require(again.type == frame.type);
  Require(again.request_id == frame.request_id);
  Require(again.payload == frame.payload);
  Require(hvbench::protocol::Decode(again).has_value());
}

void CheckStream(std::string_view stream, std::size_t step) {
  FrameDecoder decoder;
  FrameStatus status = FrameStatus::kNeedMore;
  while (!stream.empty() && status == FrameStatus::kNeedMore) {
    const std::string_view part = stream.substr(0, std::min(step, stream.size()));
    stream.remove_prefix(part.size());
    decoder.Append(part);
    Frame frame;
    while ((status = decoder.Next(frame)) == FrameStatus::kFrame) CheckMessage(frame);
  }
}

}  // namespace

// The first byte chooses: even, a stream in steps of that many bytes; odd, a payload whose type is
// the second byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    CheckStream(rest, std::size_t{1} + data[0]);
  } else {
    const Frame frame{data[1], 7, std::string(rest.substr(1))};
    Require(FirstFrameOf(hvbench::protocol::EncodeFrame(frame)).payload == frame.payload);
    CheckMessage(frame);
  }
  return 0;
}

// Reads the responses of one connection and checks them: the status and the length of each, the
// content of a sample.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace hvbench::agent::kernels {

// Beast's parser without its message: nothing is stored, and nothing allocated.
class ResponseParser : public boost::beast::http::basic_parser<false> {
 public:
  // `content` outlives it: what the body must be. With `compares` all of the body is looked at,
  // else its length alone.
  ResponseParser(std::string_view content, bool compares) : content_(content), compares_(compares) {
    eager(true);
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  // To be asked once the response is done.
  bool IsRight() const { return status_ == 200 && right_ && body_bytes_ == content_.size(); }

 private:
  using StringView = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;
  using Length = boost::optional<std::uint64_t>;

  void on_request_impl(boost::beast::http::verb, StringView, StringView, int, ErrorCode&) override {
  }
  void on_response_impl(int status, StringView, int, ErrorCode&) override { status_ = status; }
  void on_field_impl(boost::beast::http::field, StringView, StringView, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const Length&, ErrorCode&) override {}
  std::size_t on_body_impl(StringView part, ErrorCode&) override {
    const std::size_t at = body_bytes_;
    body_bytes_ += part.size();
    if (body_bytes_ > content_.size()) {
      right_ = false;
    } else if (compares_) {
      right_ = right_ && std::memcmp(part.data(), content_.data() + at, part.size()) == 0;
    }
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, StringView, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, StringView part, ErrorCode& error) override {
    return on_body_impl(part, error);
  }
  void on_finish_impl(ErrorCode&) override {}

  std::string_view content_;
  bool compares_;
  bool right_ = true;
  int status_ = 0;
  std::size_t body_bytes_ = 0;
};

class ResponseReader {
 public:
  enum class State {
    kNeedsMore,
    kRight,
    kWrong,      // complete, but another status, length or content
    kMalformed,  // the connection is of no more use
  };

  // `content` outlives it.
  explicit ResponseReader(std::string_view content)
      : content_(content), buffer_(BufferBytes(content.size()), '\0') {}

  // For a new response, behind which nothing may be left of the last one.
  void Begin() {
    parser_.emplace(content_, responses_++ % kSampleDistance == 0);
    filled_ = 0;
  }

  // Where the next bytes are to be received.
  boost::asio::mutable_buffer space() {
    return boost::asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
  }

  // `count` bytes are there.
  State Received(std::size_t count) {
    filled_ += count;
    boost::beast::error_code error;
    const std::size_t parsed = parser_->put(boost::asio::buffer(buffer_.data(), filled_), error);
    if (error == boost::beast::http::error::need_more) error.clear();
    if (error) return State::kMalformed;
    filled_ -= parsed;
    if (parser_->is_done()) {
      if (filled_ > 0) return State::kMalformed;  // nobody asked for more
      return parser_->IsRight() ? State::kRight : State::kWrong;
    }
    // A header that is longer than the buffer is none of ours.
    if (filled_ == buffer_.size()) return State::kMalformed;
    std::memmove(buffer_.data(), buffer_.data() + parsed, filled_);
    return State::kNeedsMore;
  }

 private:
  // One response in this many is compared as a whole, since reading a body costs as much as
  // receiving it.
  static constexpr std::uint64_t kSampleDistance = 16;

  // A small file in one call, a large one in few, and the caches not full of either.
  static std::size_t BufferBytes(std::size_t content_bytes) {
    constexpr std::size_t kHeaderBytes = 1024;
    constexpr std::size_t kMostBytes = 64 * 1024;
    return std::min(content_bytes + kHeaderBytes, kMostBytes);
  }

  std::string_view content_;
  std::string buffer_;
  std::size_t filled_ = 0;  // bytes in it that are not parsed yet
  std::uint64_t responses_ = 0;
  std::optional<ResponseParser> parser_;
};

}  // namespace hvbench::agent::kernels

#include "benchmarks/load/support/response_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace hvbench::agent::kernels {
namespace {

using State = ResponseReader::State;

std::string Response(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: keep-alive\r\n\r\n" +
         body;
}

// Feeds the bytes in parts of at most `part` bytes.
State Feed(ResponseReader& reader, const std::string& bytes, std::size_t part) {
  State state = State::kNeedsMore;
  std::size_t at = 0;
  while (at < bytes.size() && state == State::kNeedsMore) {
    const boost::asio::mutable_buffer space = reader.space();
    const std::size_t count = std::min({part, space.size(), bytes.size() - at});
    std::copy_n(bytes.data() + at, count, static_cast<char*>(space.data()));
    at += count;
    state = reader.Received(count);
  }
  return state;
}

TEST(ResponseReader, TakesARightResponseInPartsOfAnySize) {
  const std::string content(3000, 'x');
  ResponseReader reader(content);
  for (const std::size_t part : {1u, 2u, 7u, 100u, 1500u, 100'000u}) {
    reader.Begin();
    EXPECT_EQ(Feed(reader, Response(content), part), State::kRight) << part;
  }
}

TEST(ResponseReader, TakesAContentThatIsLargerThanItsBuffer) {
  const std::string content(1 << 20, 'x');
  ResponseReader reader(content);
  reader.Begin();
  EXPECT_EQ(Feed(reader, Response(content), 1 << 20), State::kRight);
}

TEST(ResponseReader, LooksAtTheLengthAndTheStatusOfEachResponse) {
  const std::string content(100, 'x');
  ResponseReader reader(content);
  for (int i = 0; i < 40; ++i) {
    for (const std::string& wrong : {Response(content + "x"), Response(content.substr(1)),
                                     Response(""), Response(content, "404 Not Found")}) {
      reader.Begin();
      EXPECT_EQ(Feed(reader, wrong, 4096), State::kWrong) << wrong;
    }
  }
}

TEST(ResponseReader, LooksAtTheContentOfASample) {
  const std::string content(100, 'x');
  std::string other = content;
  other[99] = 'y';
  ResponseReader reader(content);
  int noticed = 0;
  for (int i = 0; i < 64; ++i) {
    reader.Begin();
    noticed += Feed(reader, Response(other), 4096) == State::kWrong ? 1 : 0;
  }
  EXPECT_EQ(noticed, 4);
}

TEST(ResponseReader, RefusesWhatIsNoResponse) {
  const std::string content(100, 'x');
  ResponseReader reader(content);
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"), Response(content) + "more",
        "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')}) {
    reader.Begin();
    EXPECT_EQ(Feed(reader, bytes, 4096), State::kMalformed) << bytes.substr(0, 60);
  }
}

}  // namespace
}  // namespace hvbench::agent::kernels

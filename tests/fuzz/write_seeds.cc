// Writes the fuzzers' first inputs: write_seeds protocol|demultiplexer|session FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/fixtures/support/sample_messages.h"

namespace {

std::vector<std::string> ProtocolSeeds() {
  std::vector<std::string> seeds;
  std::string conversation = "\x06";
  for (const auto& message : hvbench::testing::SampleMessages()) {
    const std::string frame = hvbench::protocol::Encode(message, 1);
    const std::string payload = frame.substr(hvbench::protocol::kFrameHeaderBytes);
    seeds.push_back("\x10" + frame);
    seeds.push_back(std::string("\x01") + static_cast<char>(message.index()) + payload);
    conversation += frame;
  }
  seeds.push_back(conversation);
  return seeds;
}

std::vector<std::string> DemultiplexerSeeds() {
  const auto chunk = [](char stream, const std::string& text) {
    const std::string header = {stream, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())};
    return header + text;
  };
  const std::string mixed = chunk(1, "output") + chunk(2, "errors") + chunk(0, "") + chunk(1, "x");
  return {"\x01" + mixed, "\x7f" + mixed, "\x02" + chunk(3, "bad"),
          "\x03" + chunk(1, "cut").substr(0, 9)};
}

// Sessions in which all is true (choices from the end of the input), then more and more is changed.
std::vector<std::string> SessionSeeds() {
  std::vector<std::string> seeds = {std::string(1000, '\x0e')};
  for (const char change : {'\x03', '\x07', '\x0b', '\x0f'}) {
    std::string seed(1000, '\x0e');
    for (std::size_t at = 0; at < seed.size(); at += 37) seed[at] = change;
    seeds.push_back(seed);
  }
  return seeds;
}

std::vector<std::string> SeedsOf(const std::string& fuzzer) {
  if (fuzzer == "protocol") return ProtocolSeeds();
  return fuzzer == "session" ? SessionSeeds() : DemultiplexerSeeds();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path folder = argv[2];
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : SeedsOf(argv[1])) {
    std::ofstream file(folder / ("seed-" + std::to_string(number++)), std::ios::binary);
    file << seed;
    if (!file.flush()) {
      std::fprintf(stderr, "cannot write to %s\n", folder.c_str());
      return 1;
    }
  }
  return 0;
}

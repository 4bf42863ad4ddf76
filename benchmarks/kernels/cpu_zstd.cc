// Compression and decompression by libzstd.
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {
namespace {

// Words of a made-up language, of which the first are much more frequent (the square of a uniform
// number picks them): compresses about as well as prose.
std::string RandomText(std::size_t bytes, std::uint64_t seed) {
  constexpr std::uint64_t kWords = 4096;
  Random random(seed);
  std::vector<std::string> words(kWords);
  for (std::string& word : words) {
    const std::uint64_t letters = 2 + random.Below(9);
    for (std::uint64_t i = 0; i < letters; ++i) {
      word += static_cast<char>('a' + random.Below(26));
    }
  }
  std::string text;
  while (text.size() < bytes) {
    text += words[random.Below(random.Below(kWords) + 1)];
    text += random.Below(12) == 0 ? ".\n" : " ";
  }
  text.resize(bytes);
  return text;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class Zstd : public Kernel {
 public:
  void Prepare(const Context& context) override {
    const std::string& operation = context.Text("op");
    compresses_ = operation == "compress";
    if (!compresses_ && operation != "decompress") {
      throw std::invalid_argument("op is neither compress nor decompress: " + operation);
    }
    level_ = static_cast<int>(context.Number("level"));
    text_ = RandomText(context.Number("size_kib") * kKiB, context.seed());
    unpacked_.resize(text_.size());
    packed_.resize(ZSTD_compressBound(text_.size()));
    compressor_.reset(ZSTD_createCCtx());
    decompressor_.reset(ZSTD_createDCtx());
    if (compressor_ == nullptr || decompressor_ == nullptr) {
      throw KernelFailed("libzstd has no memory for a context");
    }
    if (!compresses_) Compress();
  }

  void Run(std::uint64_t iterations) override {
    for (std::uint64_t i = 0; i < iterations; ++i) {
      if (compresses_) {
        Compress();
      } else {
        Decompress();
      }
    }
  }

  void Verify() override {
    if (compresses_) Decompress();
    if (unpacked_ != text_) throw WrongResult("the text did not survive compression");
    std::fill(unpacked_.begin(), unpacked_.end(), '\0');
    if (compresses_) packed_bytes_ = 0;
  }

  // Bytes of text, whichever way it goes.
  Work WorkPerIteration() const override { return {.items = 1, .bytes = text_.size()}; }

  std::vector<protocol::Counter> Counters() const override {
    const auto text_bytes = static_cast<double>(text_.size());
    return {{"packed_percent", 100.0 * static_cast<double>(packed_bytes_) / text_bytes}};
  }

 private:
  void Compress() {
    packed_bytes_ = Checked(ZSTD_compressCCtx(compressor_.get(), packed_.data(), packed_.size(),
                                              text_.data(), text_.size(), level_));
  }
  void Decompress() {
    if (packed_bytes_ == 0) throw WrongResult("nothing was compressed");
    Checked(ZSTD_decompressDCtx(decompressor_.get(), unpacked_.data(), unpacked_.size(),
                                packed_.data(), packed_bytes_));
  }
  static std::size_t Checked(std::size_t result) {
    if (ZSTD_isError(result) != 0) throw KernelFailed(ZSTD_getErrorName(result));
    return result;
  }

  bool compresses_ = false;
  int level_ = 0;
  std::string text_;
  std::string unpacked_;
  std::vector<char> packed_;
  std::size_t packed_bytes_ = 0;
  std::unique_ptr<ZSTD_CCtx, FreeContext> compressor_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> decompressor_;
};

HVBENCH_KERNEL(Zstd, .name = "cpu/zstd", .summary = "Compresses or decompresses text, by libzstd",
               .unit = "text",
               .parameter_sets = {
                   {kSmoke, {{"op", "compress"}, {"level", "3"}, {"size_kib", "16"}}},
                   {kSmoke, {{"op", "decompress"}, {"level", "3"}, {"size_kib", "16"}}},
                   {kReal, {{"op", "compress"}, {"level", "3"}, {"size_kib", "1024"}}},
                   {kReal, {{"op", "decompress"}, {"level", "3"}, {"size_kib", "1024"}}},
               });

}  // namespace
}  // namespace hvbench::agent::kernels

#include "runtime_launchers/support/json.h"

#include <gtest/gtest.h>

#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

std::string RefusalToWrite(const Json& json) {
  try {
    WriteJson(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(WriteJson, WritesWhatItCanHold) {
  const Json json = {{"path", "a \"b\"\n\xC3\xBC"}, {"list", {1, nullptr}}};
  EXPECT_EQ(Json::parse(WriteJson(json)), json);
  EXPECT_EQ(WriteJson(json).find('\n'), std::string::npos);
  EXPECT_EQ(WriteJson({{"a", 1}}, 1), "{\n \"a\": 1\n}");
}

TEST(WriteJson, NamesTheTextThatIsNotUtf8WhereverItIs) {
  const std::string says =
      "'/no\\n\xEF\xBF\xBDutf8' is not UTF-8, which JSON cannot hold: use a name or a path that is";
  const std::string bad = "/no\n\xFFutf8";
  for (const Json& json : {Json(bad), Json{{"other", "\xC3\xBC"}, {"list", {1, "a", {bad}}}},
                           Json{{"a", {{bad, 1}}}}}) {
    EXPECT_EQ(RefusalToWrite(json), says);
  }
}

TEST(WriteJson, TheKindsOfBytesThatAreNotUtf8) {
  for (const char* text :
       {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xFF"}) {
    EXPECT_FALSE(IsUtf8(text));
    EXPECT_NE(RefusalToWrite({text, "a"}), "");
  }
  for (const char* text : {"", "a", "\xC3\xBC", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(IsUtf8(text));
}

}  // namespace
}  // namespace hvbench

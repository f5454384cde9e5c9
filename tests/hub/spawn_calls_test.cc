#include "hub/spawn_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "greenlet/source_location.h"
#include "gtest/gtest.h"

namespace verdant {
namespace {

// Makes each call at once and notes where it was asked for.
class Recorder : public SpawnCalls<Recorder> {
 public:
  template <typename F, typename... Args>
  auto SpawnAt(SourceLocation site, F&& f, Args&&... args) {
    sites.push_back(site);
    return std::forward<F>(f)(std::forward<Args>(args)...);
  }
  std::vector<SourceLocation> sites;
};

// A copy is told from what was moved.
struct Text {
  explicit Text(std::string from) : text(std::move(from)) {}
  Text(const Text& other) : text(other.text + " copied") {}
  Text(Text&& other) = default;
  std::string text;
};

TEST(SpawnCalls, TheResultOfWhateverThePoolMakesComesBack) {
  Recorder recorder;
  EXPECT_EQ(recorder.Spawn([] { return 1; }), 1);
  EXPECT_EQ(recorder.Spawn([](int a) { return a; }, 2), 2);
  EXPECT_EQ(recorder.Spawn([](int a, int b) { return a + b; }, 1, 2), 3);
  EXPECT_EQ(recorder.Spawn([](int a, int b, int c) { return a + b + c; }, 1, 2, 3), 6);
  EXPECT_EQ(recorder.Spawn([](int a, int b, int c, int d) { return a + b + c + d; }, 1, 2, 3, 4),
            10);
}

TEST(SpawnCalls, ThePlaceOfACallWithUpToFourArgumentsIsRecorded) {
  Recorder recorder;
  const unsigned line = __LINE__;
  recorder.Spawn([] { return 0; });
  recorder.Spawn([](int) { return 0; }, 1);
  recorder.Spawn([](int, int) { return 0; }, 1, 2);
  recorder.Spawn([](int, int, int) { return 0; }, 1, 2, 3);
  recorder.Spawn([](int, int, int, int) { return 0; }, 1, 2, 3, 4);
  recorder.SpawnN([] { return 0; });
  recorder.SpawnN([](int) { return 0; }, 1);
  recorder.SpawnN([](int, int) { return 0; }, 1, 2);
  recorder.SpawnN([](int, int, int) { return 0; }, 1, 2, 3);
  recorder.SpawnN([](int, int, int, int) { return 0; }, 1, 2, 3, 4);
  ASSERT_EQ(recorder.sites.size(), 10u);
  for (std::size_t i = 0; i < recorder.sites.size(); ++i) {
    EXPECT_EQ(recorder.sites[i].line(), line + 1 + i);
    EXPECT_NE(std::string(recorder.sites[i].file_name()).find("spawn_calls_test.cc"),
              std::string::npos);
  }
}

TEST(SpawnCalls, WithMoreArgumentsThereIsNoPlace) {
  Recorder recorder;
  recorder.Spawn([](int, int, int, int, int) { return 0; }, 1, 2, 3, 4, 5);
  recorder.SpawnN([](int, int, int, int, int) { return 0; }, 1, 2, 3, 4, 5);
  ASSERT_EQ(recorder.sites.size(), 2u);
  for (const SourceLocation& site : recorder.sites) EXPECT_EQ(site.line(), 0u);
}

TEST(SpawnCalls, ArgumentsReachThePoolAsTheyWereGiven) {
  Recorder recorder;
  const auto text_of = [](auto&& text) { return Text(std::forward<decltype(text)>(text)).text; };
  const Text kept("kept");
  EXPECT_EQ(recorder.Spawn(text_of, kept), "kept copied");
  EXPECT_EQ(recorder.Spawn(text_of, Text("given")), "given");
}

}  // namespace
}  // namespace verdant

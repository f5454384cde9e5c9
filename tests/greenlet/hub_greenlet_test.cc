// What greenlets and the hub owe each other.

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/greenlet.h"
#include "greenlet/trace.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(GreenletOnAHub, C10_WhatAnUnwindingThrowsGoesToTheHubsErrorHandler) {
  std::vector<std::string> heard;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& error) { heard.push_back(error.context); });
  Greenlet child = Loud();
  child = Greenlet();
  Hub::Current().SetErrorHandler({});
  EXPECT_EQ(heard,
            std::vector<std::string>{"greenlet 'loud', unwound because nobody refers to it"});
}

TEST(GreenletOnAHub, C11_OneDroppedElsewhereEndsWhenTheHubTurns) {
  int ends = 0;
  auto child = std::make_unique<Greenlet>([&] {
    const CountsEnd end(ends);
    ToParent();
  });
  child->Switch();
  OnFreshThread([&] { child = nullptr; });
  Sleep(absl::Milliseconds(1));
  EXPECT_EQ(ends, 1);
}

TEST(GreenletOnAHub, C11_WhatItsUnwindingDestroysMayBlock) {
  bool cleaned = false;
  struct Sleeps {
    bool& done;
    ~Sleeps() {
      Sleep();
      done = true;
    }
  };
  auto child = std::make_unique<Greenlet>([&] {
    const Sleeps sleeps{cleaned};
    ToParent();
  });
  child->Switch();
  OnFreshThread([&] { child = nullptr; });
  for (int i = 0; i < 5; ++i) Sleep(absl::Milliseconds(1));
  EXPECT_TRUE(cleaned);
}

TEST(GreenletOnAHub, C13_GreenThreadsAreNotTracedAndTheGreenletsInThemAre) {
  std::vector<std::string> events;
  SetTrace([&](TraceEvent, const Greenlet&, const Greenlet& target) {
    events.push_back(target.name());
  });
  Spawn([] {
    Sleep();
    Greenlet([] {}, {.name = "inner"}).Switch();
    Sleep();
  }).Wait();
  SetTrace({});
  EXPECT_EQ(events, (std::vector<std::string>{"inner", ""}));
}

TEST(GreenletOnAHub, C14_AGreenThreadIsNoMainThoughItHasNoParent) {
  const Greenlet main = Greenlet::Current();
  EXPECT_TRUE(main.is_main());
  Spawn([&] {
    EXPECT_FALSE(Greenlet::Current().is_main());
    EXPECT_FALSE(Greenlet::Current().parent());
    EXPECT_TRUE(main.is_main());
    Greenlet([] { EXPECT_FALSE(Greenlet::Current().is_main()); }).Switch();
  }).Wait();
}

TEST(GreenletOnAHub, C16_OneParkedInTheHubIsActiveAndNeitherSuspendedNorCurrent) {
  Event<> go;
  Greenlet inside;
  auto green = Spawn([&] {
    inside = Greenlet::Current();
    EXPECT_EQ(inside.Description(), "greenlet, current");
    go.Wait();
  });
  Sleep();
  EXPECT_EQ(inside.Description(), "greenlet, active");
  go.Send();
  green.Wait();
  EXPECT_EQ(inside.Description(), "greenlet, dead");
}

TEST(GreenletOnAHub, C7_ThrowIntoAnUnstartedOneWhoseParentIsParkedIsRefusedAndChangesNothing) {
  Event<> go;
  Greenlet child;
  auto green = Spawn([&] {
    child = Greenlet([] { return 5; });
    go.Wait();
  });
  Sleep();
  EXPECT_THROW(child.Throw(), std::logic_error);
  EXPECT_FALSE(child.dead());
  go.Send();
  green.Wait();
}

}  // namespace
}  // namespace verdant

#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/green_thread_testing.h"

namespace verdant {
namespace {

TEST(Greenlets, APlainGreenletMayBlockAndIsKilledAndJoinedLikeAGreenThread) {
  AnyGreenThread handle;
  bool cleaned = false;
  bool linked = false;
  Greenlet greenlet([&] {
    handle = CurrentGreenThread();
    const OnExit on_exit{cleaned};
    Sleep();
    Greenlet::Current().parent().Switch();
  });
  greenlet.Switch();
  ASSERT_TRUE(handle);
  EXPECT_FALSE(handle.Ready());
  EXPECT_NE(handle.Description().find("greenlet "), std::string::npos);
  handle.Link([&] { linked = true; });
  auto joiner = Spawn([&] { handle.Join(); });
  Sleep();
  greenlet = Greenlet();  // unwinds it
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(handle.Ready());
  EXPECT_TRUE(linked);
  joiner.Wait();
  EXPECT_NE(handle.Description(), "");
}

TEST(Greenlets, OneParkedInTheHubCannotBeSwitchedToAndLosesNothingByTheAttempt) {
  Greenlet greenlet;
  auto green = Spawn([&] {
    greenlet = Greenlet::Current();
    Sleep();
    return 1;
  });
  Sleep();
  EXPECT_THROW(greenlet.Switch(5), std::logic_error);
  EXPECT_THROW(greenlet.Throw(), std::logic_error);
  EXPECT_EQ(green.Wait(), 1);
}

TEST(Greenlets, OneWhoseParentHasEndedReturnsToTheHub) {
  Reports reports;
  Greenlet orphan;
  Spawn([&] {
    orphan = Greenlet([] {
      Greenlet::Current().parent().Switch();
      throw std::runtime_error("orphan");
    });
    orphan.Switch();
  }).Wait();
  auto green = Spawn([&] { orphan.Switch(); });
  Sleep();
  Sleep();
  EXPECT_TRUE(orphan.dead());
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: orphan"});
  // The one that switched to it stands aside for good: nobody switches back.
  EXPECT_FALSE(green.Ready());
  EXPECT_NE(Hub::Current().Dump().find("aside in a greenlet's switch"), std::string::npos);
}

}  // namespace
}  // namespace verdant

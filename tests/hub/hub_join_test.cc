#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Join, B8_1_ComesBackWhenNothingCanHappenAnyMore) {
  WithManualClock([](ManualClock& clock) {
    Event<> never;
    int done = 0;
    auto stuck = Spawn([&] { never.Wait(); });
    for (int i = 1; i <= 3; ++i) {
      SpawnN([&done, i] {
        Sleep(absl::Seconds(i));
        ++done;
      });
    }
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(done, 3);
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(3));
    EXPECT_TRUE(Hub::Current().Join());
    stuck.Kill();
  });
}

TEST(Join, B8_1_SaysWhetherTheDeadlineCameFirst) {
  WithManualClock([](ManualClock& clock) {
    SpawnN([] { Sleep(absl::Seconds(10)); });
    EXPECT_FALSE(Hub::Current().Join(absl::Seconds(4)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
    EXPECT_TRUE(Hub::Current().Join(absl::Seconds(100)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(10));
    EXPECT_TRUE(Hub::Current().Join(absl::Seconds(5)));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(10));
  });
}

TEST(Join, A12_10_ByTwoAtOnceIsALogicError) {
  WithManualClock([](ManualClock&) {
    auto first = Spawn([] { Hub::Current().Join(); });
    Sleep();
    EXPECT_THROW(Hub::Current().Join(), std::logic_error);
    first.Wait();
    auto killed = Spawn([] { Hub::Current().Join(absl::Hours(1)); });
    Sleep();
    killed.Kill();
    EXPECT_TRUE(Hub::Current().Join());
  });
}

TEST(Join, A12_9_B8_3_IsRefusedInACallback) {
  std::string what;
  Hub::Current().Post([&] {
    try {
      Hub::Current().Join();
    } catch (const std::logic_error& e) {
      what = e.what();
    }
  });
  EXPECT_TRUE(Hub::Current().Join());
  EXPECT_NE(what.find("hub callback"), std::string::npos);
}

}  // namespace
}  // namespace verdant

#include "apps/crawler/interrupt.h"

#include <signal.h>

#include "absl/time/time.h"
#include "apps/crawler/commands.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"

namespace verdant::crawler {
namespace {

TEST(Interrupt, TheFirstSignalAsksToStop) {
  for (const int number : {SIGINT, SIGTERM}) {
    Event<> stop;
    Interrupt interrupt([&stop] { stop.Send(); });
    EXPECT_FALSE(interrupt.happened());
    raise(number);
    // A deadline, since a signal to come is nothing that the hub waits for.
    EXPECT_TRUE(stop.Wait(absl::Seconds(20)));
    EXPECT_TRUE(interrupt.happened());
  }
}

TEST(InterruptDeathTest, TheSecondEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Event<> stop;
        Interrupt interrupt([&stop] { stop.Send(); });
        raise(SIGINT);
        stop.Wait(absl::Seconds(20));
        raise(SIGTERM);
        Sleep(absl::Seconds(20));
      },
      ::testing::ExitedWithCode(kExitInterrupted), "");
}

}  // namespace
}  // namespace verdant::crawler

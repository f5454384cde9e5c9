#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/watcher/stat.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/temporary_directory.h"

namespace verdant {
namespace {

class StatWatcherTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { directory_.Write("file", text); }

  const testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("file");
};

TEST_F(StatWatcherTest, B8_5_CallsWhenTheFileComesChangesAndGoes) {
  WithManualClock([&](ManualClock& clock) {
    int calls = 0;
    StatWatcher watcher(path_, absl::Seconds(2), [&] { ++calls; });
    watcher.Start();
    EXPECT_EQ(watcher.current().st_nlink, 0u);
    Sleep(absl::Seconds(5));
    EXPECT_EQ(calls, 0);
    Write("one");
    Sleep(absl::Seconds(2));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(watcher.previous().st_nlink, 0u);
    EXPECT_EQ(watcher.current().st_nlink, 1u);
    EXPECT_EQ(watcher.current().st_size, 3);
    Write("longer");
    Sleep(absl::Seconds(2));
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(watcher.previous().st_size, 3);
    EXPECT_EQ(watcher.current().st_size, 6);
    Sleep(absl::Seconds(10));
    EXPECT_EQ(calls, 2);
    unlink(path_.c_str());
    Sleep(absl::Seconds(2));
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(watcher.current().st_nlink, 0u);
    watcher.Stop();
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(21));
  });
}

TEST_F(StatWatcherTest, B8_5_AnActiveOneKeepsTheHubGoingUnlessItHasNoRef) {
  WithManualClock([&](ManualClock&) {
    StatWatcher watcher(path_, nullptr);
    watcher.Start();
    EXPECT_FALSE(Hub::Current().Join(absl::Hours(1)));
    watcher.Unref();
    EXPECT_TRUE(Hub::Current().Join());
  });
}

TEST_F(StatWatcherTest, B8_5_AnIntervalOfNothingIsRefused) {
  WithManualClock([&](ManualClock&) {
    EXPECT_THROW(StatWatcher(path_, absl::ZeroDuration(), nullptr), std::logic_error);
  });
}

TEST_F(StatWatcherTest, B8_5_ItMayBeDestroyedByItsOwnCallback) {
  WithManualClock([&](ManualClock&) {
    std::unique_ptr<StatWatcher> watcher;
    bool called = false;
    watcher = std::make_unique<StatWatcher>(path_, [&] {
      watcher = nullptr;
      called = true;
    });
    watcher->Start();
    Write("x");
    EXPECT_TRUE(Hub::Current().Join());
    EXPECT_TRUE(called);
  });
}

}  // namespace
}  // namespace verdant

#include "hub/internal/blocking_detector.h"

#include <chrono>
#include <mutex>
#include <string>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// What a detector has said.
class Reports {
 public:
  Hub::Options Options() {
    return {.blocking_threshold = absl::Milliseconds(2),
            .on_blocking = [this](const std::string& text) {
              const std::lock_guard<std::mutex> lock(mutex_);
              all_ += text;
            }};
  }
  std::string all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return all_;
  }
  bool Have(const std::string& part) { return all().find(part) != std::string::npos; }
  // Blocks the thread until `part` has been said, for some time at most: the turn may have been
  // reported before, and is not again.
  void BlockUntil(const std::string& part) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    while (!Have(part) && std::chrono::steady_clock::now() < until) {
    }
  }

 private:
  std::mutex mutex_;
  std::string all_;
};

TEST(StallWatch, A10_2_SaysOnceThatAValueStandsStill) {
  internal::StallWatch watch;
  EXPECT_FALSE(watch.IsStuckAt(2));
  for (int i = 1; i < internal::StallWatch::kLooks; ++i) EXPECT_FALSE(watch.IsStuckAt(2));
  EXPECT_TRUE(watch.IsStuckAt(2));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.IsStuckAt(2));
  for (int i = 0; i < internal::StallWatch::kLooks; ++i) EXPECT_FALSE(watch.IsStuckAt(4));
  EXPECT_TRUE(watch.IsStuckAt(4));
}

TEST(StallWatch, A10_2_AHubThatSleepsOrTurnsIsNotStuck) {
  internal::StallWatch watch;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.IsStuckAt(3));
  for (std::uint64_t value = 4; value < 100; value += 2) EXPECT_FALSE(watch.IsStuckAt(value));
}

TEST(BlockingDetector, A10_2_NamesTheGreenThreadThatBlocksAndWhereItWasSpawned) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    auto culprit = Spawn([&] {
      while (!reports.Have("'number cruncher'")) {
        reports.BlockUntil("'number cruncher'");
        Sleep(absl::Milliseconds(1));
      }
    });
    culprit.SetName("number cruncher");
    culprit.Wait();
  });
  const std::string text = reports.all();
  const std::size_t at = text.find("'number cruncher' spawned at ");
  ASSERT_NE(at, std::string::npos) << text;
  const std::size_t file = text.find("blocking_detector_test.cc:", at);
  ASSERT_NE(file, std::string::npos) << text;
  EXPECT_NE(text.find(" has kept its hub from turning for 2ms or more\n    ", file),
            std::string::npos)  // and then its stack
      << text;
}

TEST(BlockingDetector, A10_2_NamesTheMainGreenlet) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    while (!reports.Have("verdant: the main greenlet has kept")) {
      reports.BlockUntil("verdant: the main greenlet has kept");
      Sleep(absl::Milliseconds(1));
    }
  });
  EXPECT_TRUE(reports.Have("the main greenlet"));
}

TEST(BlockingDetector, A10_2_ABlockingCallbackIsReportedAsSuch) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    while (!reports.Have("verdant: a hub callback has kept")) {
      Event<> done;
      Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
        reports.BlockUntil("verdant: a hub callback has kept");
        done.Send();
      });
      done.Wait();
    }
  });
  EXPECT_TRUE(reports.Have("a hub callback"));
}

TEST(BlockingDetector, A10_2_OffByDefault) {
  OnFreshThread(
      [] { EXPECT_EQ(Hub::Current().options().blocking_threshold, absl::InfiniteDuration()); });
}

}  // namespace
}  // namespace verdant

#include <signal.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

// What a detector has said.
struct Reports {
  Hub::Options Options() {
    return {.blocking_threshold = absl::Milliseconds(2),
            .on_blocking = [this](const std::string& text) {
              const std::lock_guard<std::mutex> lock(mutex);
              texts.push_back(text);
              ++count;
            }};
  }
  // Blocks the thread until there are so many.
  void SpinUntil(int wanted) const {
    while (count < wanted) {
    }
  }
  std::string Get(std::size_t i) {
    const std::lock_guard<std::mutex> lock(mutex);
    return texts.at(i);
  }
  std::mutex mutex;
  std::vector<std::string> texts;
  std::atomic<int> count{0};
};

void ExpectContains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(BlockingDetector, A10_2_NamesTheGreenThreadThatBlocksAndWhereItWasSpawned) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    auto culprit = Spawn([&] {
      const int before = reports.count;
      reports.SpinUntil(before + 1);
    });
    culprit.SetName("number cruncher");
    culprit.Wait();
  });
  const std::string last = reports.Get(reports.texts.size() - 1);
  ExpectContains(last, "verdant: green thread ");
  ExpectContains(last, " 'number cruncher' spawned at ");
  ExpectContains(last, "blocking_detector_test.cc:");
  ExpectContains(last, " has kept its hub from turning for 2ms or more\n    ");  // and its stack
}

TEST(BlockingDetector, A10_2_ATurnIsReportedOnceAndTheNextOneAgain) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    for (int i = 0; i < 3; ++i) {
      const int before = reports.count;
      reports.SpinUntil(before + 1);
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
      while (std::chrono::steady_clock::now() < until) {
      }
      EXPECT_EQ(reports.count, before + 1);
      Sleep(absl::Milliseconds(1));
    }
  });
  ExpectContains(reports.Get(0), "the main greenlet has kept");
}

TEST(BlockingDetector, A10_2_ABlockingCallbackIsReportedAsSuch) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    Event<> done;
    Hub::Current().ScheduleCall(absl::Milliseconds(1), [&] {
      reports.SpinUntil(reports.count + 1);
      done.Send();
    });
    done.Wait();
  });
  ExpectContains(reports.Get(reports.texts.size() - 1), "a hub callback has kept");
}

TEST(BlockingDetector, A10_2_AHubThatSleepsIsNotBlocked) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Options options = reports.Options();
    options.blocking_threshold = absl::Milliseconds(40);
    Hub::Configure(options);
    Sleep(absl::Milliseconds(200));
  });
  EXPECT_EQ(reports.count, 0);
}

TEST(BlockingDetector, A10_2_TheSignalOfOthersStillReachesThem) {
  static std::atomic<int> delivered{0};
  struct sigaction action = {}, before;
  action.sa_handler = [](int) { ++delivered; };
  sigaction(SIGURG, &action, &before);
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    reports.SpinUntil(1);
    raise(SIGURG);
  });
  sigaction(SIGURG, &before, nullptr);
  EXPECT_GE(reports.count, 1);
}

TEST(BlockingDetector, A10_2_OffByDefault) {
  OnFreshThread(
      [] { EXPECT_EQ(Hub::Current().options().blocking_threshold, absl::InfiniteDuration()); });
}

}  // namespace
}  // namespace verdant

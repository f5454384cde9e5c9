#include "hub/internal/blocking_detector.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/blocking.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/hub_group.h"
#include "hub/internal/system_call.h"
#include "hub/monitor.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/forbidden_call.h"

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
  std::string all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return all_;
  }
  bool Have(const std::string& part) const { return all().find(part) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::string all_;
};

// Keeps the hub from turning until that has been reported.
[[gnu::noinline]] void CrunchNumbers(const Reports& reports, const std::string& until) {
  while (!reports.Have(until)) {
  }
}

// Computes while the hub's monitor has had ample opportunity to notice.
void CrunchUnnoticed() {
  std::atomic<int> rounds{0};
  const MonitoringFunction count(absl::Milliseconds(1), [&] { ++rounds; });
  while (rounds < 20) {
  }
}

TEST(BlockingDetector, A10_2_NamesTheGreenThreadThatComputesAndWhereItWasSpawned) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    auto culprit = Spawn([&] { CrunchNumbers(reports, "'number cruncher'"); });
    culprit.SetName("number cruncher");
    culprit.Wait();
  });
  const std::string text = reports.all();
  const std::size_t at = text.find("'number cruncher' spawned at ");
  ASSERT_NE(at, std::string::npos) << text;
  const std::size_t file = text.find("blocking_detector_test.cc:", at);
  ASSERT_NE(file, std::string::npos) << text;
  EXPECT_NE(text.find(" has kept its hub from turning for ", file), std::string::npos) << text;
  EXPECT_NE(text.find("\n    #0 ", file), std::string::npos) << text;
}

// Calls nothing, so that it is never found on the way into a function, where frame pointers do not
// lead to it. Optimised, it would have no frame.
[[gnu::noinline]] void Spin(const bool& enough) {
  asm volatile("" : : "r"(__builtin_frame_address(0)));
  while (!__atomic_load_n(&enough, __ATOMIC_SEQ_CST)) {
  }
}
[[gnu::noinline]] void SpinDeeper(const bool& enough) {
  Spin(enough);
  asm volatile("");  // not a tail call
}

TEST(BlockingDetector, B13_1_TheStackLeadsFromTheCulpritToItsCallers) {
  bool enough = false;
  std::string text;
  std::vector<BlockingSite> sites;
  OnFreshThread([&] {
    Hub::Configure({.blocking_threshold = absl::Milliseconds(2),
                    .on_blocking = [&](const std::string& report) {
                      if (!text.empty() || report.find("'spinner'") == std::string::npos) return;
                      text = report;
                      __atomic_store_n(&enough, true, __ATOMIC_SEQ_CST);
                    }});
    auto culprit = Spawn([&] { SpinDeeper(enough); });
    culprit.SetName("spinner");
    culprit.Wait();
    sites = Hub::Current().BlockingSites();
  });
  const std::size_t spin = text.find("Spin()");
  const std::size_t deeper = text.find("SpinDeeper()");
  ASSERT_NE(spin, std::string::npos) << text;
  ASSERT_NE(deeper, std::string::npos) << text;
  EXPECT_LT(spin, deeper);
  bool found = false;
  for (const BlockingSite& site : sites) {
    if (site.function.find("Spin()") == std::string::npos) continue;
    found = true;
    EXPECT_EQ(site.count, 1u);
    EXPECT_NE(std::string(site.spawned_at.file_name()).find("blocking_detector_test.cc"),
              std::string::npos);
    EXPECT_GE(site.total, absl::Milliseconds(2));
    EXPECT_EQ(site.longest, site.total);
  }
  EXPECT_TRUE(found) << text;
}

// They follow each other without a turn of the hub between them.
TEST(BlockingDetector, B13_1_TellsTwoInTheSameTurnApart) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    auto first = Spawn([&] { CrunchNumbers(reports, "'first'"); });
    first.SetName("first");
    auto second = Spawn([&] { CrunchNumbers(reports, "'second'"); });
    second.SetName("second");
    second.Wait();
    EXPECT_GE(Hub::Current().BlockingSites().size(), 2u);
  });
}

// A poll that a signal has come to fails with EINTR, whatever the handler's flags.
TEST(BlockingDetector, B13_1_NamesTheSystemCallAndDoesNotDisturbIt) {
  Reports reports;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int polled = 0;
  bool kernel_tells = false;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    const pid_t self = gettid();
    std::thread writer([&] {
      while (!reports.Have("'poller'")) std::this_thread::yield();
      kernel_tells = internal::ReadSystemCall(self).has_value();
      EXPECT_EQ(write(ends[1], "x", 1), 1);
    });
    auto culprit = Spawn([&] {
      pollfd wanted = {ends[0], POLLIN, 0};
      polled = poll(&wanted, 1, -1);
    });
    culprit.SetName("poller");
    culprit.Wait();
    writer.join();
  });
  close(ends[0]);
  close(ends[1]);
  if (!kernel_tells) GTEST_SKIP() << "the kernel does not say what a thread waits in";
  EXPECT_EQ(polled, 1) << "the detector has interrupted it";
  const std::string text = reports.all();
  EXPECT_NE(text.find("in the system call p"), std::string::npos) << text;  // poll or ppoll
}

TEST(BlockingDetector, A10_2_NamesTheMainGreenlet) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    Event<> never;
    auto waiter = Spawn([&] { never.Wait(); });
    Sleep();
    CrunchNumbers(reports, "verdant: the main greenlet has kept");
    waiter.Kill();
    waiter.Join();
  });
  EXPECT_TRUE(reports.Have("the main greenlet"));
}

TEST(BlockingDetector, A10_2_ABlockingCallbackIsReportedAsSuch) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    Event<> done;
    Hub::Current().ScheduleCall(absl::ZeroDuration(), [&] {
      CrunchNumbers(reports, "verdant: a hub callback has kept");
      done.Send();
    });
    done.Wait();
  });
  EXPECT_TRUE(reports.Have("a hub callback"));
}

TEST(BlockingDetector, B13_1_WhoRunsAloneKeepsNobodyWaiting) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    CrunchUnnoticed();
    EXPECT_TRUE(Hub::Current().BlockingSites().empty());
  });
  EXPECT_EQ(reports.all(), "");
}

TEST(BlockingDetector, B13_2_AGreenThreadMayAskNotToBeReported) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    auto patient = Spawn([&] {
      std::optional<IgnoreBlocking> ignore(std::in_place);
      const IgnoreBlocking nested;
      CrunchUnnoticed();
    });
    patient.SetName("patient");
    patient.Wait();
    EXPECT_FALSE(reports.Have("'patient'")) << reports.all();
    auto afterwards = Spawn([&] {
      { const IgnoreBlocking ignore; }
      CrunchNumbers(reports, "'afterwards'");
    });
    afterwards.SetName("afterwards");
    afterwards.Wait();
  });
}

TEST(BlockingDetector, B13_4_WatchesEveryHubOfAGroup) {
  Reports reports;
  HubGroup group({.threads = 2, .hub = reports.Options()});
  std::vector<RemoteGreenThread<void>> culprits;
  for (const std::size_t hub : {0, 1}) {
    culprits.push_back(group.SpawnOn(hub, [&reports, hub] {
      const std::string name = "hub " + std::to_string(hub);
      CurrentGreenThread().SetName(name);
      CrunchNumbers(reports, "'" + name + "'");
    }));
  }
  for (auto& culprit : culprits) culprit.Wait();
  for (const std::size_t hub : {0, 1})
    EXPECT_FALSE(group.RunInHub(hub, [] { return Hub::Current().BlockingSites(); }).empty());
}

TEST(BlockingDetector, B13_4_TheHubOfAForkedChildIsWatchedByItsOwn) {
#if defined(VERDANT_TSAN)
  GTEST_SKIP() << "ThreadSanitizer starts no threads after a fork";
#endif
  OnFreshThread([] {
    Reports reports;
    Hub::Configure(reports.Options());
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Reports own;
      Hub::Configure(own.Options());
      auto culprit = Spawn([&] { CrunchNumbers(own, "green thread"); });
      culprit.Wait();
      _exit(7);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  });
}

// Sandboxes may forbid it.
TEST(BlockingDetector, B13_1_NoticesWithoutProcessVmReadv) {
#if defined(VERDANT_TSAN)
  GTEST_SKIP() << "ThreadSanitizer starts no threads after a fork";
#endif
  for (const unsigned error : {ENOSYS, EPERM}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (!ForbidCall(SYS_process_vm_readv, error)) _exit(77);
      OnFreshThread([] {
        Reports reports;
        Hub::Configure(reports.Options());
        for (const char* name : {"first", "second"}) {
          Spawn([&, name] { CrunchNumbers(reports, absl::StrCat("'", name, "'")); }).SetName(name);
        }
        while (!reports.Have("'second'")) Sleep();
      });
      _exit(7);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << status;
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no filters of system calls here";
    EXPECT_EQ(WEXITSTATUS(status), 7);
  }
}

// A hub that has slept for long is no longer looked at, and is again when it wakes.
TEST(BlockingDetector, B13_1_NoticesAfterALongSleep) {
  Reports reports;
  OnFreshThread([&] {
    Hub::Configure(reports.Options());
    Sleep(absl::Milliseconds(100));
    auto culprit = Spawn([&] { CrunchNumbers(reports, "'late'"); });
    culprit.SetName("late");
    culprit.Wait();
  });
  EXPECT_TRUE(reports.Have("'late'"));
}

TEST(BlockingDetector, A10_2_TheEnvironmentSetsTheDefault) {
  setenv("VERDANT_STALL_MS", "7", 1);
  EXPECT_EQ(DefaultBlockingThreshold(), absl::Milliseconds(7));
  OnFreshThread(
      [] { EXPECT_EQ(Hub::Current().options().blocking_threshold, absl::Milliseconds(7)); });
  setenv("VERDANT_STALL_MS", "off", 1);
  EXPECT_EQ(DefaultBlockingThreshold(), absl::InfiniteDuration());
  OnFreshThread([] { EXPECT_TRUE(Hub::Current().BlockingSites().empty()); });
  unsetenv("VERDANT_STALL_MS");
  const absl::Duration built_in = DefaultBlockingThreshold();
  EXPECT_TRUE(built_in == absl::Milliseconds(25) || built_in == absl::InfiniteDuration());
  for (const char* nonsense : {"", "-1", "soon", "99999999999999999999"}) {
    setenv("VERDANT_STALL_MS", nonsense, 1);
    EXPECT_EQ(DefaultBlockingThreshold(), built_in) << nonsense;
  }
  setenv("VERDANT_STALL_MS", "off", 1);
}

}  // namespace
}  // namespace verdant

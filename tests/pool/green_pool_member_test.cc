// Members that spawn into their own pool, and calls without a handle.

#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(GreenPool, A3_3_SpawnFromAMemberOfAFullPoolRunsInline) {
  GreenPool pool(1);
  auto outer = pool.Spawn([&] {
    const AnyGreenThread self = CurrentGreenThread();
    AnyGreenThread runner;
    auto inner = pool.Spawn([&] {
      runner = CurrentGreenThread();
      EXPECT_EQ(pool.Running(), 1u);
      return std::string("inline");
    });
    EXPECT_EQ(runner, self);
    EXPECT_TRUE(inner.Ready());
    EXPECT_TRUE(inner.Successful());
    EXPECT_TRUE(inner.Join());
    EXPECT_FALSE(inner.Cancel());
    inner.Kill();
    bool linked = false;
    inner.Link([&] { linked = true; });
    EXPECT_TRUE(linked);
    return inner.Wait();
  });
  EXPECT_EQ(outer.Wait(), "inline");
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_3_AMemberSpawnsAsUsualWhileThereIsASlot) {
  GreenPool pool(2);
  auto outer = pool.Spawn([&] {
    auto inner = pool.Spawn([] { return CurrentGreenThread().id(); });
    EXPECT_FALSE(inner.Ready());
    return inner.Wait() != CurrentGreenThread().id();
  });
  EXPECT_TRUE(outer.Wait());
}

TEST(GreenPool, A3_3_AnExceptionOfAnInlineCallArrivesAtWait) {
  GreenPool pool(1);
  pool.Spawn([&] {
        auto inner = pool.Spawn([]() -> int { throw std::runtime_error("inline boom"); });
        EXPECT_TRUE(inner.Ready());
        EXPECT_FALSE(inner.Successful());
        EXPECT_THROW(inner.Wait(), std::runtime_error);
        EXPECT_THROW(inner.Wait(), std::runtime_error);
      })
      .Wait();
}

TEST(GreenPool, A3_3_AnUnseenExceptionOfAnInlineCallIsReported) {
  GreenPool pool(1);
  std::vector<std::string> reports;
  Hub::Current().SetErrorHandler(
      [&](const UncaughtError& e) { reports.push_back(DescribeException(e.error)); });
  pool.Spawn([&] {
        {
          auto inner = pool.Spawn([]() -> int { throw std::runtime_error("unseen"); });
        }
        pool.SpawnN([] { throw std::runtime_error("nobody's"); });
      })
      .Wait();
  Hub::Current().SetErrorHandler([](const UncaughtError&) {});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_NE(reports[0].find("unseen"), std::string::npos);
  EXPECT_NE(reports[1].find("nobody's"), std::string::npos);
}

TEST(GreenPool, A3_3_AKillDuringAnInlineCallEndsTheCaller) {
  GreenPool pool(1);
  bool went_on = false;
  bool unwound = false;
  auto outer = pool.Spawn([&] {
    auto inner = pool.Spawn([&] {
      struct Note {
        bool& flag;
        ~Note() { flag = true; }
      } note{unwound};
      Sleep(absl::InfiniteDuration());
    });
    went_on = true;
  });
  Settle();
  outer.Kill();
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(went_on);
  EXPECT_THROW(outer.Wait(), GreenletExit);
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_3_ATimeoutOfTheCallerPassesThroughAnInlineCall) {
  GreenPool pool(1);
  auto outer = pool.Spawn([&] {
    return WithTimeout(
        absl::Milliseconds(1),
        [&] {
          pool.SpawnN([] { Sleep(absl::InfiniteDuration()); });
          return std::string("went on");
        },
        std::string("timed out"));
  });
  EXPECT_EQ(outer.Wait(), "timed out");
}

TEST(GreenPool, A3_3_AMemberOfAnotherPoolWaits) {
  GreenPool outer(1);
  GreenPool inner(1);
  Event<> gate;
  inner.SpawnN([&] { gate.Wait(); });
  bool spawned = false;
  auto member = outer.Spawn([&] {
    inner.SpawnN([] {});
    spawned = true;
  });
  Settle();
  EXPECT_FALSE(spawned);
  EXPECT_EQ(inner.Waiting(), 1u);
  gate.Send();
  member.Wait();
  EXPECT_TRUE(spawned);
  inner.WaitAll();
}

TEST(GreenPool, A3_4_SpawnNFromAMemberOfAFullPoolRunsInline) {
  GreenPool pool(1);
  std::vector<std::string> log;
  auto outer = pool.Spawn([&] {
    const AnyGreenThread self = CurrentGreenThread();
    pool.SpawnN([&] {
      EXPECT_EQ(CurrentGreenThread(), self);
      EXPECT_EQ(pool.Running(), 1u);
      Sleep();
      log.push_back("inline");
    });
    pool.SpawnN([&](int a, int b) { log.push_back(std::to_string(a + b)); }, 1, 2);
    log.push_back("after");
    pool.SpawnN([] { throw GreenletExit(); });
    log.push_back("after an exit");
  });
  outer.Wait();
  EXPECT_EQ(log, (std::vector<std::string>{"inline", "3", "after", "after an exit"}));
  EXPECT_EQ(pool.Free(), 1);
}

TEST(GreenPool, A3_4_AnExceptionUnderSpawnNGoesToTheErrorHandlerAndFreesTheSlot) {
  GreenPool pool(1);
  int reports = 0;
  Hub::Current().SetErrorHandler([&](const UncaughtError&) { ++reports; });
  pool.SpawnN([] { throw std::runtime_error("boom"); });
  pool.SpawnN([](int) { throw std::runtime_error("boom"); }, 1);
  pool.SpawnN([](int, int, int) { throw std::runtime_error("boom"); }, 1, 2, 3);
  pool.WaitAll();
  Hub::Current().SetErrorHandler([](const UncaughtError&) {});
  EXPECT_EQ(reports, 3);
  EXPECT_EQ(pool.Free(), 1);
}

}  // namespace
}  // namespace verdant

#include "pool/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/emulated.h"

namespace verdant {
namespace {

// Holds native calls up until it is opened.
class Gate {
 public:
  void Open() { promise_.set_value(); }
  // For the native call: copied into it.
  std::shared_future<void> way() const { return way_; }
  // Blocks the whole thread until one that says so has begun.
  void AwaitBeginning() { begun_->get_future().wait(); }
  std::shared_ptr<std::promise<void>> begun() const { return begun_; }

 private:
  const std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
  std::promise<void> promise_;
  std::shared_future<void> way_ = promise_.get_future().share();
};

TEST(ThreadPool, A8_1_ApplyRunsOnAnotherThreadWhileOtherGreenThreadsGoOn) {
  ThreadPool pool(2);
  Gate gate;
  const std::thread::id here = std::this_thread::get_id();
  bool others_ran = false;
  auto other = Spawn([&] {
    others_ran = true;
    gate.Open();
  });
  const std::thread::id there = pool.Apply([way = gate.way()] {
    way.wait();
    return std::this_thread::get_id();
  });
  EXPECT_NE(there, here);
  EXPECT_TRUE(others_ran);
  EXPECT_EQ(pool.Apply([](int a, int b) { return a - b; }, 7, 2), 5);
  other.Wait();
}

TEST(ThreadPool, A8_1_TheExceptionIsDeliveredAndThePoolGoesOn) {
  ThreadPool pool(1);
  try {
    pool.Apply([] { throw std::out_of_range("native"); });
    FAIL();
  } catch (const std::out_of_range& e) {
    EXPECT_STREQ(e.what(), "native");
  }
  pool.Apply([] {});
  EXPECT_EQ(pool.Pending(), 0u);
}

TEST(ThreadPool, A8_1_MoveOnlyArgumentsAndResultsAndReferencesPass) {
  ThreadPool pool(1);
  auto result = pool.Apply([](std::unique_ptr<int> p) { return std::make_unique<int>(*p + 1); },
                           std::make_unique<int>(1));
  EXPECT_EQ(*result, 2);
  int object = 3;
  int& reference = pool.Apply([&object]() -> int& { return object; });
  EXPECT_EQ(&reference, &object);
}

TEST(ThreadPool, A8_7_AnExceptionThatIsReturnedIsAResult) {
  ThreadPool pool(1);
  const auto error = std::make_exception_ptr(std::runtime_error("returned"));
  EXPECT_EQ(pool.Apply([error] { return error; }), error);
  const auto triple = pool.Apply([error] { return std::tuple(1, error, 2); });
  EXPECT_EQ(std::get<1>(triple), error);
}

TEST(ThreadPool, A8_3_ATimeoutInterruptsTheWaiterOnly) {
  ThreadPool pool(1);
  Gate gate;
  auto ended = std::make_shared<std::atomic<bool>>(false);
  auto other = Spawn([&] { gate.AwaitBeginning(); });
  Timeout patience(absl::Milliseconds(1));
  try {
    pool.Apply([way = gate.way(), begun = gate.begun(), ended] {
      begun->set_value();
      way.wait();
      *ended = true;
    });
    FAIL();
  } catch (const TimeoutExpired& expired) {
    EXPECT_TRUE(patience.Owns(expired));
  }
  EXPECT_FALSE(*ended);
  EXPECT_EQ(pool.Pending(), 1u);
  gate.Open();
  EXPECT_TRUE(pool.Join());
  EXPECT_TRUE(*ended);
  other.Wait();
}

TEST(ThreadPool, A8_3_AnInterruptedCallThatNoThreadHasBegunIsTakenBack) {
  ThreadPool pool(1);
  Gate gate;
  auto busy = pool.Spawn([way = gate.way(), begun = gate.begun()] {
    begun->set_value();
    way.wait();
  });
  gate.AwaitBeginning();
  auto token = std::make_shared<int>(0);
  bool ran = false;
  auto queued = Spawn([&pool, token, &ran] { pool.Apply([token, &ran] { ran = true; }); });
  Sleep();
  EXPECT_EQ(pool.Pending(), 2u);
  queued.Kill();
  EXPECT_EQ(pool.Pending(), 1u);
  EXPECT_EQ(token.use_count(), 1);
  gate.Open();
  busy.Wait();
  pool.Join();
  EXPECT_FALSE(ran);
}

TEST(ThreadPool, B3_4_AnErrorNobodyWaitsForAnyMoreIsReported) {
  ThreadPool pool(1);
  Gate gate;
  std::vector<std::string> reports;
  Hub::Current().SetErrorHandler([&](const UncaughtError& error) {
    reports.push_back(error.context + ": " + DescribeException(error.error));
  });
  auto waiter = pool.Spawn([way = gate.way(), begun = gate.begun()] {
    begun->set_value();
    way.wait();
    throw std::runtime_error("too late");
  });
  Sleep();
  gate.AwaitBeginning();
  waiter.Kill();
  EXPECT_THROW(waiter.Wait(), GreenletExit);
  gate.Open();
  pool.Join();
  Hub::Current().SetErrorHandler(nullptr);
  EXPECT_EQ(reports, std::vector<std::string>{"a call in an OS thread, which nobody waits for any "
                                              "more: std::runtime_error: too late"});
}

TEST(ThreadPool, B3_2_SpawnGivesAHandleThatCanAllAGreenThreadCan) {
  ThreadPool pool(2);
  auto good = pool.Spawn([](int x) { return x * x; }, 6);
  auto bad = pool.Spawn([]() -> int { throw std::runtime_error("bad"); });
  int links = 0;
  good.Link([&] { ++links; });
  EXPECT_TRUE(JoinAll({good, bad}));
  EXPECT_EQ(good.Wait(), 36);
  EXPECT_EQ(links, 1);
  EXPECT_FALSE(bad.Successful());
  EXPECT_THROW(bad.Wait(), std::runtime_error);
}

TEST(ThreadPool, B3_2_SpawnWaitsWhileAllThreadsAreBusyAndOneCallIsQueued) {
  ThreadPool pool(1);
  Gate gate;
  std::vector<std::string> order;
  auto first = pool.Spawn([way = gate.way()] { way.wait(); });
  auto second = pool.Spawn([] {});
  auto spawner = Spawn([&] {
    auto third = pool.Spawn([] {});
    order.push_back("third");
    third.Wait();
  });
  Sleep();
  EXPECT_EQ(pool.Pending(), 2u);
  EXPECT_EQ(pool.Waiting(), 1u);
  order.push_back("open");
  gate.Open();
  spawner.Wait();
  JoinAll({first, second});
  EXPECT_EQ(order, (std::vector<std::string>{"open", "third"}));
}

TEST(ThreadPool, B3_2_AKilledSpawnerTakesNoRoom) {
  ThreadPool pool(1);
  Gate gate;
  auto first = pool.Spawn([way = gate.way()] { way.wait(); });
  auto second = pool.Spawn([] {});
  auto spawner = Spawn([&] { pool.Spawn([] {}).Wait(); });
  Sleep();
  spawner.Kill();
  EXPECT_EQ(pool.Waiting(), 0u);
  gate.Open();
  pool.Join();
  EXPECT_EQ(pool.Pending(), 0u);
  JoinAll({first, second});
}

TEST(ThreadPool, B3_2_AForeignThreadIsRefusedAndAWorkerRunsInline) {
  ThreadPool pool(1);
  std::thread([&] {
    EXPECT_THROW(pool.Apply([] {}), std::logic_error);
    EXPECT_THROW(static_cast<void>(pool.Spawn([] {})), std::logic_error);
    EXPECT_THROW(pool.Join(), std::logic_error);
  }).join();
  const auto [outer, inner] = pool.Apply([&pool] {
    return std::pair(std::this_thread::get_id(),
                     pool.Apply([] { return std::this_thread::get_id(); }));
  });
  EXPECT_EQ(outer, inner);
  pool.Apply([&pool] { EXPECT_THROW(static_cast<void>(pool.Spawn([] {})), std::logic_error); });
}

TEST(ThreadPool, InAHubCallbackItIsRefused) {
  ThreadPool pool(1);
  Event<bool> refused;
  Hub::Current().Post([&] {
    try {
      pool.Apply([] {});
      refused.Send(false);
    } catch (const std::logic_error&) {
      refused.Send(true);
    }
  });
  EXPECT_TRUE(refused.Wait());
  EXPECT_EQ(pool.Pending(), 0u);
}

TEST(ThreadPool, B3_2_SpawnTakesAnyNumberOfArgumentsAndSpawnNGivesNoHandle) {
  ThreadPool pool(2);
  const auto sum = [](int a, int b, int c, int d) { return a + b + c + d; };
  EXPECT_EQ(pool.Spawn(sum, 1, 2, 3, 4).Wait(), 10);
  Event<std::string> reported;
  Hub::Current().SetErrorHandler([&](const UncaughtError& error) {
    try {
      std::rethrow_exception(error.error);
    } catch (const std::runtime_error& e) {
      reported.Send(e.what());
    }
  });
  static_assert(std::is_void_v<decltype(pool.SpawnN([] { return 1; }))>);
  pool.SpawnN([](const char* what) { throw std::runtime_error(what); }, "boom");
  EXPECT_EQ(reported.Wait(), "boom");
  Hub::Current().SetErrorHandler(nullptr);
}

TEST(ThreadPool, B3_4_AnImapLeftEarlyLeavesNothingUndone) {
  ThreadPool pool(2);
  {
    auto results = pool.Imap([](int x) { return x; }, std::vector<int>(1000, 1));
    EXPECT_EQ(results.Next(), 1);
  }
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(pool.Apply([] { return 4; }), 4);
}

TEST(ThreadPool, B3_4_AThousandCallsFromAThousandGreenThreads) {
  ThreadPool pool(4);
  std::vector<GreenThread<void>> all;
  int sum = 0;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(Spawn([&pool, &sum, i] { sum += pool.Apply([i] { return i; }); }));
  }
  JoinAll(all);
  EXPECT_EQ(sum, 1000 * 999 / 2);
  EXPECT_LE(pool.size(), 4);
}

TEST(ThreadPool, A8_6_AResultWakesAHubThatHasNothingElseToWaitFor) {
  ThreadPool pool(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.Apply([i] { return i; }), i);
  Event<> never;
  EXPECT_THROW(never.Wait(), LoopExit);  // idle threads are no reason to wait for anything
}

TEST(ThreadPool, B3_3_AForkedChildGetsThreadsOfItsOwn) {
#if defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer lets no child start threads";
#endif
  if (Emulated())
    GTEST_SKIP() << "the emulator fails where a child starts threads whose parent has some";
  ThreadPool pool(2);
  Gate gate;
  auto busy = pool.Spawn([way = gate.way()] { way.wait(); });
  Sleep();
  const pid_t child = fork();
  if (child == 0) {
    if (pool.size() != 0) _exit(1);
    if (pool.Apply([] { return 5; }) != 5) _exit(2);
    if (pool.Pending() != 0 || pool.size() != 1) _exit(3);
    if (!pool.KillAll()) _exit(4);
    // Not by _exit(): what the parent's threads own is lost here, as a leak checker would say.
    execl("/bin/true", "true", nullptr);
    _exit(5);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  gate.Open();
  busy.Wait();
}

TEST(ThreadPool, ItsThreadMayEndWithCallsUnderWay) {
  Gate gate;
  auto ended = std::make_shared<std::promise<void>>();
  OnFreshThread([&] {
    ThreadPool pool(1);
    SpawnN([&pool, way = gate.way(), ended] {
      pool.Apply([way, ended] {
        way.wait();
        ended->set_value();
      });
    });
    auto queued = pool.Spawn([] {});
    Sleep();
  });
  gate.Open();
  ended->get_future().wait();
}

TEST(ThreadPool, ItMayBeDestroyedBeforeItsCallsAndTheyAreStillDelivered) {
  Gate gate;
  auto pool = std::make_unique<ThreadPool>(1);
  auto first = pool->Spawn([way = gate.way()] {
    way.wait();
    return 1;
  });
  auto second = pool->Spawn([] { return 2; });
  pool = nullptr;
  gate.Open();
  EXPECT_EQ(first.Wait() + second.Wait(), 3);
}

}  // namespace
}  // namespace verdant

#include "pool/tpool.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/hub/manual_clock.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

std::thread::id ThisThread() { return std::this_thread::get_id(); }

// A library that knows nothing of green threads.
class Account {
 public:
  explicit Account(int balance) : balance_(balance) {}
  int Add(int amount) { return balance_ += amount; }
  int balance() const { return balance_; }
  std::thread::id Where() const { return ThisThread(); }
  std::vector<int> History() const { return {1, balance_}; }
  void Refuse() const { throw std::domain_error("refused"); }

 private:
  int balance_;
};

TEST(Tpool, A8_1_ExecuteRunsElsewhereAndInlineFromThere) {
  EXPECT_NE(tpool::Execute(&ThisThread), ThisThread());
  const auto [outer, inner] =
      tpool::Execute([] { return std::pair(ThisThread(), tpool::Execute(&ThisThread)); });
  EXPECT_EQ(outer, inner);
  EXPECT_THROW(tpool::Execute([] { throw std::runtime_error("x"); }), std::runtime_error);
}

TEST(Tpool, A8_1_OnlyTheCallerWaits) {
  std::promise<void> gate;
  auto other = Spawn([&] { gate.set_value(); });
  // Nobody opens the gate while the hub is blocked.
  const auto opened = tpool::Execute(
      [way = gate.get_future().share()] { return way.wait_for(std::chrono::seconds(5)); });
  EXPECT_EQ(opened, std::future_status::ready);
  EXPECT_TRUE(other.Ready());
  EXPECT_EQ(tpool::Execute([](std::string a, int b) { return a + std::to_string(b); }, "x", 1),
            "x1");
}

TEST(Tpool, A8_2_TheNumberOfThreadsIsSetBeforeFirstUse) {
  OnFreshThread([] {
    EXPECT_THROW(tpool::SetNumThreads(-1), std::logic_error);
    tpool::SetNumThreads(3);
    EXPECT_EQ(tpool::Pool().max_size(), 3);
    EXPECT_THROW(tpool::SetNumThreads(4), std::logic_error);
    tpool::Execute([] {});
    EXPECT_TRUE(tpool::KillAll());
    tpool::SetNumThreads(0);
    EXPECT_EQ(tpool::Execute(&ThisThread), ThisThread());
  });
}

TEST(Tpool, A18_TheEnvironmentGivesTheSize) {
  OnFreshThread([] { EXPECT_EQ(tpool::Pool().max_size(), 20); });
  setenv("VERDANT_THREADPOOL_SIZE", "7", 1);
  OnFreshThread([] { EXPECT_EQ(tpool::Pool().max_size(), 7); });
  OnFreshThread([] {
    tpool::SetNumThreads(2);
    EXPECT_EQ(tpool::Pool().max_size(), 2);
  });
  for (const char* nonsense : {"", "many", "-1", "7x"}) {
    setenv("VERDANT_THREADPOOL_SIZE", nonsense, 1);
    OnFreshThread([&] { EXPECT_THROW(tpool::Execute([] {}), std::logic_error) << nonsense; });
  }
  unsetenv("VERDANT_THREADPOOL_SIZE");
}

TEST(Tpool, A8_5_KillAllIsRefusedInACallAndHarmlessWithoutAPool) {
  OnFreshThread([] {
    EXPECT_TRUE(tpool::KillAll());
    tpool::Execute([] { EXPECT_THROW(tpool::KillAll(), std::logic_error); });
    EXPECT_TRUE(tpool::KillAll());
    EXPECT_EQ(tpool::Execute([] { return 1; }), 1);
  });
}

// A call of the calling thread's pool that goes on until it may end.
class GatedExecute {
 public:
  GatedExecute() { begun_->get_future().wait(); }
  void Open() { gate_.set_value(); }
  int Result() { return call_.Wait(); }

 private:
  const std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
  std::promise<void> gate_;
  GreenThread<int> call_ = tpool::Pool().Spawn([begun = begun_, way = gate_.get_future().share()] {
    begun->set_value();
    way.wait();
    return 1;
  });
};

TEST(Tpool, A8_5_TwoMayEndThePoolAtOnce) {
  OnFreshThread([] {
    GatedExecute call;
    auto first = Spawn([] { return tpool::KillAll(); });
    auto second = Spawn([] { return tpool::KillAll(); });
    Sleep();
    EXPECT_FALSE(first.Ready());
    EXPECT_FALSE(second.Ready());
    call.Open();
    EXPECT_TRUE(first.Wait());
    EXPECT_TRUE(second.Wait());
    EXPECT_EQ(call.Result(), 1);
    tpool::SetNumThreads(3);
    EXPECT_EQ(tpool::Execute([] { return 2; }), 2);
    EXPECT_EQ(tpool::Pool().max_size(), 3);
  });
}

TEST(Tpool, A8_5_ThePoolMayBeJoinedWhileAnotherEndsIt) {
  OnFreshThread([] {
    GatedExecute call;
    ThreadPool& pool = tpool::Pool();
    auto killer = Spawn([] { return tpool::KillAll(); });
    Sleep();
    auto joiner = Spawn([&pool] { return pool.Join(); });
    Sleep();
    call.Open();
    EXPECT_TRUE(killer.Wait());
    EXPECT_TRUE(joiner.Wait());
    EXPECT_EQ(call.Result(), 1);
    EXPECT_EQ(&tpool::Pool(), &pool);
  });
}

TEST(Tpool, A8_5_AThreadEndsWithItsPool) {
  auto token = std::make_shared<int>(0);
  OnFreshThread([&] { tpool::Execute([token] {}); });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Proxy, A8_4_CallsMembersOnAnOsThread) {
  const tpool::Proxy<Account> account(std::in_place, 10);
  EXPECT_NE(account.Call(&Account::Where), ThisThread());
  EXPECT_EQ(account.Call(&Account::Add, 5), 15);
  EXPECT_EQ(account.Call(&Account::balance), 15);
  EXPECT_THROW(account.Call(&Account::Refuse), std::domain_error);
  EXPECT_EQ(account.Call([](Account& a, int twice) { return a.Add(twice) + a.Add(twice); }, 1),
            16 + 17);
}

TEST(Proxy, A8_4_CallInlineBypassesThePool) {
  const tpool::Proxy<Account> account(std::in_place, 10);
  EXPECT_EQ(account.CallInline(&Account::Where), ThisThread());
  EXPECT_EQ(account.object().balance(), 10);
}

TEST(Proxy, A8_4_AResultMayBeWrappedInTurn) {
  const tpool::Proxy<Account> account(std::in_place, 4);
  const tpool::Proxy<std::vector<int>> history = account.Wrap(&Account::History);
  EXPECT_EQ(history.Call(
                [](const std::vector<int>& h) { return std::accumulate(h.begin(), h.end(), 0); }),
            5);
}

TEST(Proxy, A8_4_CopiesReferToOneObjectThatLivesAsLongAsACallNeedsIt) {
  auto object = std::make_shared<Account>(1);
  const std::weak_ptr<Account> watch = object;
  auto proxy = std::make_unique<tpool::Proxy<Account>>(std::move(object));
  const auto copy = std::make_unique<tpool::Proxy<Account>>(*proxy);
  EXPECT_EQ(*copy, *proxy);
  copy->Call(&Account::Add, 1);
  EXPECT_EQ(proxy->Call(&Account::balance), 2);
  proxy = nullptr;
  EXPECT_FALSE(watch.expired());
}

TEST(TpoolDeathTest, A8_5_TheProcessExitsWithoutWaitingForACallThatNeverEnds) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        auto begun = std::make_shared<std::promise<void>>();
        auto stuck = Spawn([begun] {
          tpool::Execute([begun] {
            begun->set_value();
            for (;;) pause();
          });
        });
        Sleep();
        begun->get_future().wait();
        stuck.Kill();
        tpool::Execute([] {});
        std::exit(3);
      },
      testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace verdant

#include "greenlet/local.h"

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(GreenLocal, A9_1_EveryGreenletHasItsOwn) {
  GreenLocal<int> local(5);
  *local = 1;
  Greenlet a([&] {
    EXPECT_EQ(*local, 5);
    *local = 2;
    ToParent();
    EXPECT_EQ(*local, 2);
  });
  Greenlet b([&] {
    EXPECT_EQ(*local, 5);
    *local = 3;
    ToParent();
    EXPECT_EQ(*local, 3);
  });
  a.Switch();
  b.Switch();
  EXPECT_EQ(*local, 1);
  a.Switch();
  b.Switch();
  EXPECT_EQ(*local, 1);
}

TEST(GreenLocal, A9_1_IsNotInherited) {
  GreenLocal<int> local;
  *local = 7;
  Greenlet([&] {
    EXPECT_EQ(local.Find(), nullptr);
    EXPECT_EQ(local.Get(), 0);
  }).Switch();
}

TEST(GreenLocal, A9_1_TheConstructorRunsAgainWithTheOriginalArgumentsOnFirstTouch) {
  struct Counted {
    Counted(int& count, std::string t) : text(std::move(t)) { ++count; }
    std::string text;
  };
  static int made;
  made = 0;
  GreenLocal<Counted> local(std::ref(made), "text");
  EXPECT_EQ(made, 0);
  local->text += "!";
  EXPECT_EQ(made, 1);
  EXPECT_EQ(local->text, "text!");
  EXPECT_EQ(made, 1);
  Greenlet([&] { EXPECT_EQ(local->text, "text"); }).Switch();
  EXPECT_EQ(made, 2);
}

TEST(GreenLocal, A9_1_AFactoryMakesItWhereItIsTouched) {
  GreenLocal<std::uint64_t> local([] { return GetIdent(); });
  Greenlet child([&] { EXPECT_EQ(*local, GetIdent()); });
  child.Switch();
  EXPECT_EQ(*local, GetIdent());
}

TEST(GreenLocal, A9_1_IsReleasedWhenItsGreenletDies) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  Greenlet child([&] {
    *local = std::make_unique<CountsEnd>(ends);
    ToParent();
  });
  child.Switch();
  EXPECT_EQ(ends, 0);
  child.Switch();
  EXPECT_TRUE(child.dead());
  EXPECT_EQ(ends, 1);
}

TEST(GreenLocal, A9_1_IsReleasedByTheUnwindingOfADroppedOneAndByAThrow) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  for (int i = 0; i < 2; ++i) {
    Greenlet child([&] {
      *local = std::make_unique<CountsEnd>(ends);
      ToParent();
    });
    child.Switch();
    if (i == 0) {
      EXPECT_THROW(child.Throw(Thrown(5)), int);
    }
  }
  EXPECT_EQ(ends, 2);
}

TEST(GreenLocal, A9_1_OfAThreadsMainIsReleasedWhenTheThreadExits) {
  int ends = 0;
  GreenLocal<std::unique_ptr<CountsEnd>> local;
  OnFreshThread([&] { *local = std::make_unique<CountsEnd>(ends); });
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(*local, nullptr);
}

TEST(GreenLocal, A9_1_ItsEndReleasesAllValuesOldestFirst) {
  std::vector<int> order;
  struct Notes {
    ~Notes() { order->push_back(number); }
    std::vector<int>* order = nullptr;
    int number = 0;
  };
  auto local = std::make_unique<GreenLocal<Notes>>([&] { return Notes{&order, 0}; });
  std::vector<Greenlet> all;
  for (int i = 1; i <= 3; ++i) {
    all.emplace_back([&, i] {
      local->Get().number = i;
      ToParent();
    });
    all.back().Switch();
  }
  order.clear();  // of what the factory's copies left
  local = nullptr;
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  all.clear();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(GreenLocal, ValuesOfOneGreenletGoNewestFirst) {
  std::vector<int> order;
  struct Notes {
    Notes(std::vector<int>* o, int n) : order(o), number(n) {}
    ~Notes() { order->push_back(number); }
    std::vector<int>* order;
    int number;
  };
  GreenLocal<Notes> a(&order, 1);
  GreenLocal<Notes> b(&order, 2);
  GreenLocal<Notes> c(&order, 3);
  Greenlet([&] {
    b.Get();
    a.Get();
    c.Get();
  }).Switch();
  EXPECT_EQ(order, (std::vector<int>{3, 1, 2}));
}

TEST(GreenLocal, ADestructorMayTouchOthersAndTheSame) {
  static int rounds;
  rounds = 0;
  struct Touches {
    GreenLocal<int>* other = nullptr;
    int rest = 0;
    ~Touches() {
      if (other == nullptr) return;
      EXPECT_EQ(**other, 5);
      ++rounds;
      if (rest > 0) again->Get() = Touches{};
    }
    GreenLocal<Touches>* again = nullptr;
  };
  GreenLocal<int> other(5);
  GreenLocal<Touches> local;
  Greenlet([&] {
    local->other = &other;
    local->rest = 1;
    local->again = &local;
  }).Switch();
  EXPECT_EQ(rounds, 1);
}

TEST(GreenLocal, AFactoryThatThrowsLeavesNothingAndIsTriedAgain) {
  int tries = 0;
  GreenLocal<std::string> local([&]() -> std::string {
    if (++tries == 1) throw std::runtime_error("not yet");
    return "made";
  });
  EXPECT_THROW(local.Get(), std::runtime_error);
  EXPECT_EQ(local.Find(), nullptr);
  EXPECT_EQ(*local, "made");
  EXPECT_EQ(tries, 2);
}

TEST(GreenLocal, AFactoryMaySwitch) {
  GreenLocal<int> local([] { return std::any_cast<int>(ToParent()); });
  Greenlet a([&] { return *local; });
  Greenlet b([&] { return *local; });
  a.Switch();
  b.Switch();
  EXPECT_EQ(std::any_cast<int>(b.Switch(2)), 2);
  EXPECT_EQ(std::any_cast<int>(a.Switch(1)), 1);
}

TEST(GreenLocal, ResetDestroysTheCallersOwnOnly) {
  GreenLocal<int> local(5);
  *local = 1;
  Greenlet child([&] {
    *local = 2;
    ToParent();
    EXPECT_EQ(*local, 2);
  });
  child.Switch();
  local.Reset();
  EXPECT_EQ(local.Find(), nullptr);
  EXPECT_EQ(*local, 5);
  local.Reset();
  local.Reset();
  child.Switch();
}

TEST(GreenLocal, OneInThePlaceOfAnotherThatIsGoneSeesNothingOfIt) {
  int ends = 0;
  for (int round = 0; round < 100; ++round) {
    GreenLocal<std::unique_ptr<CountsEnd>> local;
    ASSERT_EQ(local.Find(), nullptr);
    *local = std::make_unique<CountsEnd>(ends);
    GreenLocal<std::string> other("own");
    EXPECT_EQ(*other, "own");
  }
  EXPECT_EQ(ends, 100);
}

TEST(GreenLocal, ManyThreadsMayUseItAndEndWhileItIsUsed) {
  GreenLocal<int> local(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        Greenlet([&] {
          *local = t;
          EXPECT_EQ(*local, t);
        }).Switch();
      }
      EXPECT_EQ(*local, 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*local, 0);
}

TEST(GreenLocal, AThreadsValueGoesWithTheLocalIfThatEndsFirst) {
  int ends = 0;
  auto local = std::make_unique<GreenLocal<std::unique_ptr<CountsEnd>>>();
  OnFreshThread([&] {
    **local = std::make_unique<CountsEnd>(ends);
    OnFreshThread([&] { local = nullptr; });
    EXPECT_EQ(ends, 1);
  });
  EXPECT_EQ(ends, 1);
}

TEST(GetIdent, A9_1_IsOneNumberForEachAndNeverUsedAgain) {
  std::set<std::uint64_t> seen;
  const std::uint64_t mine = GetIdent();
  EXPECT_NE(mine, 0u);
  EXPECT_EQ(GetIdent(), mine);
  seen.insert(mine);
  for (int i = 0; i < 10; ++i) {
    Greenlet child([&] {
      const std::uint64_t ident = GetIdent();
      EXPECT_TRUE(seen.insert(ident).second);
      ToParent();
      EXPECT_EQ(GetIdent(), ident);
    });
    child.Switch();
    child.Switch();
  }
  OnFreshThread([&] { EXPECT_TRUE(seen.insert(GetIdent()).second); });
  EXPECT_EQ(GetIdent(), mine);
}

}  // namespace
}  // namespace verdant

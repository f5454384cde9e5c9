#include "pool/green_pile.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

template <typename R>
std::vector<R> Read(GreenPile<R>& pile) {
  std::vector<R> all;
  for (auto&& r : pile) all.push_back(std::move(r));
  return all;
}

TEST(GreenPile, A3_13_ResultsComeInTheOrderOfSpawning) {
  GreenPile<int> pile(4);
  for (int i = 0; i < 10; ++i) {
    pile.Spawn(
        [](int x) {
          for (int turns = 20; turns > x; --turns) Sleep();
          return x;
        },
        i);
  }
  EXPECT_EQ(Read(pile), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(GreenPile, A3_13_DifferentFunctionsWithResultsThatConvert) {
  GreenPile<std::string> pile;
  pile.Spawn([] { return "literal"; });
  pile.Spawn([](int n) { return std::string(n, 'x'); }, 3);
  pile.Spawn([](const std::string& a, const std::string& b, char c) { return a + b + c; }, "a", "b",
             'c');
  EXPECT_EQ(Read(pile), (std::vector<std::string>{"literal", "xxx", "abc"}));
}

TEST(GreenPile, A3_13_MoveOnlyResultsAndNone) {
  GreenPile<std::unique_ptr<int>> pile;
  pile.Spawn([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3));
  EXPECT_EQ(**pile.Next(), 3);
  GreenPile<void> calls;
  int count = 0;
  calls.Spawn([&] { return ++count; });
  calls.Spawn([&] { ++count; });
  int results = 0;
  while (calls.Next()) ++results;
  EXPECT_EQ(results, 2);
  EXPECT_EQ(count, 2);
}

TEST(GreenPile, A3_13_EndsAsSoonAsNothingIsOutstandingAndCanBeUsedAgain) {
  GreenPile<int> pile;
  EXPECT_EQ(pile.Next(), std::nullopt);
  EXPECT_EQ(pile.begin(), pile.end());
  for (int round = 0; round < 3; ++round) {
    pile.Spawn([] { return 1; });
    pile.Spawn([] { return 2; });
    EXPECT_EQ(Read(pile), (std::vector<int>{1, 2}));
    EXPECT_EQ(pile.Next(), std::nullopt);
  }
}

TEST(GreenPile, A3_13_SpawnWaitsAsThePoolDoes) {
  GreenPool pool(1);
  GreenPile<int> pile(pool);
  Event<> gate;
  pile.Spawn([&] {
    gate.Wait();
    return 1;
  });
  auto spawner = Spawn([&] { pile.Spawn([] { return 2; }); });
  Settle();
  EXPECT_FALSE(spawner.Ready());
  EXPECT_EQ(pool.Waiting(), 1u);
  gate.Send();
  spawner.Wait();
  EXPECT_EQ(Read(pile), (std::vector<int>{1, 2}));
}

TEST(GreenPile, A3_13_SeveralPilesShareAPool) {
  GreenPool pool(2);
  GreenPile<int> a(pool);
  GreenPile<int> b(pool);
  for (int i = 0; i < 5; ++i) {
    a.Spawn([](int x) { return x; }, i);
    b.Spawn([](int x) { return 10 * x; }, i);
  }
  EXPECT_EQ(Read(b), (std::vector<int>{0, 10, 20, 30, 40}));
  EXPECT_EQ(Read(a), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(GreenPile, A3_14_AnExceptionStandsInThePlaceOfItsResult) {
  GreenPile<int> pile;
  for (int i = 0; i < 4; ++i) {
    pile.Spawn(
        [](int x) {
          if (x == 1) throw std::runtime_error("one");
          return x;
        },
        i);
  }
  EXPECT_EQ(pile.Next(), 0);
  EXPECT_THROW(pile.Next(), std::runtime_error);
  EXPECT_EQ(pile.Next(), 2);
  EXPECT_EQ(pile.Next(), 3);
  EXPECT_EQ(pile.Next(), std::nullopt);
}

TEST(GreenPile, A3_15_ATimeoutDuringNextLosesNothing) {
  GreenPile<int> pile;
  Event<> gate;
  for (int i = 0; i < 4; ++i) {
    pile.Spawn(
        [&](int x) {
          if (x == 1) gate.Wait();
          return x;
        },
        i);
  }
  std::vector<int> got;
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] {
    for (int r : pile) got.push_back(r);
  }));
  EXPECT_EQ(got, (std::vector<int>{0}));
  EXPECT_THROW(pile.Next(absl::ZeroDuration()), TimeoutExpired);
  gate.Send();
  for (int r : pile) got.push_back(r);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3}));
}

TEST(GreenPile, A3_15_ASpawnThatTimesOutLeavesTheSequenceConsistent) {
  GreenPile<int> pile(1);
  Event<> gate;
  pile.Spawn([&] {
    gate.Wait();
    return 1;
  });
  EXPECT_FALSE(WithTimeout(absl::Milliseconds(1), [&] { pile.Spawn([] { return 99; }); }));
  gate.Send();
  pile.Spawn([] { return 2; });
  EXPECT_EQ(Read(pile), (std::vector<int>{1, 2}));
}

TEST(GreenPile, A3_16_AReaderWaitsForASpawnerThatWaits) {
  GreenPool pool(1);
  GreenPile<int> pile(pool);
  Event<> gate;
  pool.SpawnN([&] { gate.Wait(); });
  auto spawner = Spawn([&] { pile.Spawn([] { return 7; }); });
  auto doomed = Spawn([&] { pile.Spawn([] { return 8; }); });
  Settle();
  auto reader = Spawn([&] { return Read(pile); });
  Settle();
  EXPECT_FALSE(reader.Ready());
  EXPECT_THROW(pile.Next(absl::Milliseconds(1)), TimeoutExpired);
  doomed.Kill();
  gate.Send();
  EXPECT_EQ(reader.Wait(), (std::vector<int>{7}));
  spawner.Wait();
}

TEST(GreenPile, A3_16_AReaderEndsWhenTheLastWaitingSpawnerIsKilled) {
  GreenPool pool(0);
  GreenPile<int> pile(pool);
  auto spawner = Spawn([&] { pile.Spawn([] { return 7; }); });
  auto reader = Spawn([&] { return Read(pile).size(); });
  Settle();
  EXPECT_FALSE(reader.Ready());
  spawner.Kill();
  EXPECT_EQ(reader.Wait(), 0u);
}

TEST(GreenPile, SeveralReadersAreServedInTheOrderTheyCame) {
  GreenPile<int> pile;
  std::vector<Event<>> gates(3);
  for (int i = 0; i < 3; ++i) {
    pile.Spawn(
        [&](int x) {
          gates[x].Wait();
          return x;
        },
        i);
  }
  std::vector<std::pair<int, int>> got;
  std::vector<AnyGreenThread> readers;
  for (int r = 0; r < 4; ++r) {
    readers.push_back(Spawn([&, r] { got.emplace_back(r, pile.Next().value_or(-1)); }));
  }
  Settle();
  readers[0].Kill();
  for (int i = 2; i >= 0; --i) gates[i].Send();
  JoinAll(readers);
  EXPECT_EQ(got, (std::vector<std::pair<int, int>>{{1, 0}, {2, 1}, {3, 2}}));
}

TEST(GreenPile, AMemberOfItsFullPoolMaySpawnIntoIt) {
  GreenPile<int> pile(1);
  pile.Spawn([&] {
    pile.Spawn([] { return 2; });
    return 1;
  });
  EXPECT_EQ(Read(pile), (std::vector<int>{1, 2}));
}

TEST(GreenPile, DestroyingAPileKillsNothing) {
  Event<> gate;
  int done = 0;
  {
    GreenPile<int> pile;
    pile.Spawn([&] {
      gate.Wait();
      return ++done;
    });
    Settle();
  }
  gate.Send();
  Settle();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace verdant

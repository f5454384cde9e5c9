#include "pool/imap.h"

#include <algorithm>
#include <array>
#include <list>
#include <memory>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"
#include "tests/pool/imap_testing.h"

namespace verdant {
namespace {

TEST(Imap, A3_9_ResultsComeInTheOrderOfTheInput) {
  GreenPool pool(4);
  EXPECT_EQ(ToVector(pool.Imap(Twice, UpTo(5))), (std::vector<int>{0, 2, 4, 6, 8}));
  // The later, the sooner done.
  auto slow_first = [](int x) {
    for (int i = 0; i < 20 - x; ++i) Sleep();
    return x;
  };
  EXPECT_EQ(ToVector(pool.Imap(slow_first, UpTo(20))), UpTo(20));
}

TEST(Imap, A3_9_TakesNoSlotsOfThePool) {
  GreenPool pool(2);
  int most = 0;
  int running = 0;
  for (auto&& r : pool.Imap(
           [&](int x) {
             most = std::max(most, ++running);
             EXPECT_EQ(pool.Running(), 0u);
             EXPECT_EQ(pool.Free(), 2);
             Sleep();
             --running;
             return x;
           },
           UpTo(10))) {
    EXPECT_GE(r, 0);
    EXPECT_EQ(pool.Running(), 0u);
  }
  EXPECT_EQ(most, 2);
}

TEST(Imap, A3_9_RunsSizeCallsAtOnceAndNoMore) {
  for (int size : {1, 2, 3, 7, 64}) {
    GreenPool pool(size);
    int most = 0;
    int running = 0;
    auto results = pool.Imap(
        [&](int x) {
          most = std::max(most, ++running);
          for (int i = 0; i < 10; ++i) Sleep();
          --running;
          return x;
        },
        UpTo(200));
    EXPECT_EQ(ToVector(std::move(results)), UpTo(200));
    EXPECT_EQ(most, size);
  }
}

TEST(Imap, A3_9_TakesAnyInputRange) {
  GreenPool pool(3);
  std::vector<int> numbers = UpTo(4);
  const std::vector<int> expected = {0, 2, 4, 6};
  EXPECT_EQ(ToVector(pool.Imap(Twice, numbers)), expected);
  EXPECT_EQ(ToVector(pool.Imap(Twice, std::as_const(numbers))), expected);
  EXPECT_EQ(ToVector(pool.Imap(Twice, std::list<int>{0, 1, 2, 3})), expected);
  int array[] = {0, 1, 2, 3};
  EXPECT_EQ(ToVector(pool.Imap(Twice, array)), expected);
  EXPECT_EQ(ToVector(pool.Imap(Twice, Between(numbers.begin(), numbers.end()))), expected);
  std::istringstream text("0 1 2 3");
  EXPECT_EQ(ToVector(pool.Imap(
                Twice, Between(std::istream_iterator<int>(text), std::istream_iterator<int>()))),
            expected);
  const std::vector<bool> bits = {true, false};
  EXPECT_EQ(ToVector(pool.Imap([](bool b) { return b ? 1 : 0; }, bits)), (std::vector<int>{1, 0}));
}

TEST(Imap, A3_9_AnLvaluesElementsArePassedByReference) {
  GreenPool pool(2);
  std::vector<std::unique_ptr<int>> owners;
  for (int i = 0; i < 5; ++i) owners.push_back(std::make_unique<int>(i));
  auto raise = [](std::unique_ptr<int>& p) {
    Sleep();
    return ++*p;
  };
  EXPECT_EQ(ToVector(pool.Imap(raise, owners)), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(*owners[4], 5);
}

TEST(Imap, A3_9_ASinglePassInputsElementsAreKeptUntilTheirCall) {
  GreenPool pool(2);
  std::istringstream text("the quick brown fox");
  auto late = [](const std::string& word) {
    Sleep();
    Sleep();
    return word;
  };
  EXPECT_EQ(ToVector(pool.Imap(late, Between(std::istream_iterator<std::string>(text),
                                             std::istream_iterator<std::string>()))),
            (std::vector<std::string>{"the", "quick", "brown", "fox"}));
}

TEST(Imap, A3_9_SeveralRangesGoSideBySideToTheEndOfTheShortest) {
  GreenPool pool(3);
  const std::vector<std::string> words = {"a", "b", "c", "d"};
  auto pair = [](const std::string& s, int i) { return s + std::to_string(i); };
  EXPECT_EQ(ToVector(pool.Imap(pair, words, UpTo(3))),
            (std::vector<std::string>{"a0", "b1", "c2"}));
  EXPECT_EQ(
      ToVector(pool.Imap([](int a, int b, int c) { return a + b + c; }, UpTo(3), UpTo(9), UpTo(4))),
      (std::vector<int>{0, 3, 6}));
  EXPECT_EQ(ToVector(pool.ImapUnordered(pair, words, UpTo(2))),
            (std::vector<std::string>{"a0", "b1"}));
}

TEST(Imap, A3_9_StarmapSpreadsTuples) {
  GreenPool pool(3);
  const std::vector<std::tuple<int, int, int>> triples = {{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(ToVector(pool.Starmap([](int a, int b, int c) { return a * b * c; }, triples)),
            (std::vector<int>{6, 120}));
  const std::vector<std::pair<std::string, int>> pairs = {{"x", 2}, {"y", 3}};
  EXPECT_EQ(ToVector(pool.Starmap([](const std::string& s, int n) { return std::string(n, s[0]); },
                                  pairs)),
            (std::vector<std::string>{"xx", "yyy"}));
  EXPECT_EQ(ToVector(pool.Starmap([](int a, int b) { return a - b; },
                                  std::vector<std::array<int, 2>>{{5, 3}})),
            (std::vector<int>{2}));
}

TEST(Imap, A3_9_MoveOnlyResultsAndCallables) {
  GreenPool pool(3);
  auto factor = std::make_unique<int>(10);
  auto results = pool.Imap(
      [factor = std::move(factor)](int x) { return std::make_unique<int>(*factor * x); }, UpTo(3));
  static_assert(std::is_same_v<decltype(results), ImapResults<std::unique_ptr<int>>>);
  std::vector<std::unique_ptr<int>> kept;
  for (auto&& r : results) kept.push_back(std::move(r));
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(*kept[2], 20);
}

TEST(Imap, A3_9_ResultsAreValuesEvenOfWhatReturnsAReference) {
  GreenPool pool(1);
  std::string text = "x";
  auto results = pool.Imap([&](int) -> const std::string& { return text; }, UpTo(1));
  static_assert(std::is_same_v<decltype(results), ImapResults<std::string>>);
  auto first = results.Next();
  text = "changed";
  EXPECT_EQ(first, "x");
}

TEST(Imap, A3_9_WhatReturnsNothingYieldsOnePlaceholderPerCall) {
  GreenPool pool(2);
  int calls = 0;
  auto results = pool.Imap([&](int) { ++calls; }, UpTo(5));
  static_assert(std::is_same_v<decltype(results), ImapResults<std::monostate>>);
  int count = 0;
  while (results.Next()) ++count;
  EXPECT_EQ(count, 5);
  EXPECT_EQ(calls, 5);
}

TEST(Imap, A3_10_ConsumesSizePlusOneInputsAheadThenOnePerResultTaken) {
  for (int size : {1, 3, 10}) {
    for (bool waits : {false, true}) {
      GreenPool pool(size);
      Counter input;
      int calls = 0;
      auto results = pool.Imap(
          [&](int x) {
            ++calls;
            if (waits) Sleep();
            return x;
          },
          input);
      EXPECT_EQ(input.read, 0);
      Settle();
      EXPECT_EQ(input.read, size + 1);
      EXPECT_EQ(calls, size + 1);
      for (int i = 0; i < 25; ++i) {
        ASSERT_EQ(results.Next(), i);
        Settle();
        ASSERT_EQ(input.read, size + 2 + i);
      }
    }
  }
}

TEST(Imap, A3_10_ConsumesSizePlusOneInputsEvenIfNoCallReturns) {
  GreenPool pool(3);
  Counter input;
  Event<> gate;
  int calls = 0;
  auto results = pool.Imap(
      [&](int x) {
        ++calls;
        gate.Wait();
        return x;
      },
      input);
  Settle();
  EXPECT_EQ(input.read, 4);
  EXPECT_EQ(calls, 3);
  gate.Send();
  Settle();
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(results.Next(), 0);
}

TEST(Imap, A3_10_AnInputThatWaitsHoldsUpNoCall) {
  GreenPool pool(3);
  Counter input;
  input.wait_at = 2;
  auto results = pool.Imap(Twice, input);
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), 2);
  bool waited = false;
  auto reader = Spawn([&] {
    EXPECT_EQ(results.Next(), 4);
    waited = true;
  });
  Settle();
  EXPECT_FALSE(waited);
  input.gate.Send();
  reader.Wait();
  EXPECT_TRUE(waited);
}

TEST(Imap, A3_10_AnEndlessInputRunsInConstantMemory) {
  GreenPool pool(10);
  Counter input;
  std::vector<std::weak_ptr<int>> alive;
  auto results = pool.Imap(
      [&](int x) {
        auto p = std::make_shared<int>(x);
        alive.push_back(p);
        return p;
      },
      input);
  for (int i = 0; i < 20000; ++i) {
    auto r = results.Next();
    ASSERT_EQ(**r, i);
    if (alive.size() < 1000) continue;
    const auto living = std::ranges::count_if(alive, [](const auto& p) { return !p.expired(); });
    ASSERT_LE(living, 12);
    alive.clear();
  }
  EXPECT_LE(input.read, 20011);
}

TEST(Imap, A3_12_AnEmptyInputEndsAtOnce) {
  for (int size : {0, 1, 5}) {
    GreenPool pool(size);
    for ([[maybe_unused]] auto&& r : pool.Imap(Twice, std::vector<int>())) ADD_FAILURE();
    auto results = pool.ImapUnordered(Twice, std::vector<int>());
    EXPECT_EQ(results.Next(), std::nullopt);
    EXPECT_EQ(ToVector(pool.Imap([](int a, int b) { return a + b; }, UpTo(3), std::vector<int>())),
              std::vector<int>());
  }
  ImapResults<int> none;
  EXPECT_EQ(none.Next(), std::nullopt);
  EXPECT_EQ(none.begin(), none.end());
}

TEST(ImapUnordered, B2_4_ResultsComeInTheOrderTheCallsEnd) {
  GreenPool pool(3);
  std::vector<Event<>> gates(5);
  auto results = pool.ImapUnordered(
      [&](int x) {
        gates[x].Wait();
        if (x == 1) throw std::runtime_error("one");
        return x;
      },
      UpTo(5));
  Settle();
  gates[2].Send();
  EXPECT_EQ(results.Next(), 2);
  gates[1].Send();
  EXPECT_THROW(results.Next(), std::runtime_error);
  gates[4].Send();
  EXPECT_EQ(results.Next(), 4);
  gates[3].Send();
  gates[0].Send();
  EXPECT_EQ(results.Next(), 3);
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(ImapUnordered, A3_10_IsBoundedToo) {
  GreenPool pool(3);
  Counter input;
  auto results = pool.ImapUnordered(Twice, input);
  Settle();
  EXPECT_EQ(input.read, 4);
  EXPECT_EQ(results.Next(), 0);
  Settle();
  EXPECT_EQ(input.read, 5);
}

TEST(Imap, IsARangeForTheStandardAlgorithms) {
  GreenPool pool(3);
  auto results = pool.Imap(Twice, UpTo(5));
  EXPECT_EQ(std::ranges::count_if(results, [](int x) { return x > 3; }), 3);
  std::vector<int> copy;
  std::ranges::copy(pool.Imap(Twice, UpTo(3)), std::back_inserter(copy));
  EXPECT_EQ(copy, (std::vector<int>{0, 2, 4}));
#if !defined(__clang__)  // clang 14 cannot compile the views of gcc 12's library
  Counter endless;
  std::vector<int> some;
  for (int x : pool.Imap(Twice, endless) | std::views::filter([](int x) { return x % 3 == 0; }) |
                   std::views::take(3)) {
    some.push_back(x);
  }
  EXPECT_EQ(some, (std::vector<int>{0, 6, 12}));
  EXPECT_EQ(ToVector(pool.Imap(Twice, std::views::iota(0) | std::views::take(4))),
            (std::vector<int>{0, 2, 4, 6}));
#endif
}

TEST(Imap, NestsInItself) {
  GreenPool pool(3);
  auto sum = [&](int n) {
    int total = 0;
    for (int x : pool.Imap(Twice, UpTo(n))) total += x;
    return total;
  };
  EXPECT_EQ(ToVector(pool.Imap(sum, UpTo(5))), (std::vector<int>{0, 0, 2, 6, 12}));
}

TEST(Imap, OutlivesThePoolAndCanBeMoved) {
  ImapResults<int> results;
  {
    GreenPool pool(3);
    results = pool.Imap(Twice, UpTo(5));
  }
  EXPECT_EQ(results.Next(), 0);
  ImapResults<int> moved = std::move(results);
  EXPECT_EQ(moved.Next(), 2);
  Event<> never;
  GreenPool other(1);
  moved = other.Imap([](int x) { return x + 100; }, UpTo(1));
  EXPECT_EQ(moved.Next(), 100);
}

TEST(Imap, AThousandCallsWaitAsOne) {
  GreenPool pool(1000);
  Event<> gate;
  int waiting = 0;
  auto results = pool.Imap(
      [&](int x) {
        ++waiting;
        gate.Wait();
        return x;
      },
      UpTo(3000));
  Settle();
  EXPECT_EQ(waiting, 1000);
  gate.Send();
  EXPECT_EQ(ToVector(std::move(results)), UpTo(3000));
}

}  // namespace
}  // namespace verdant

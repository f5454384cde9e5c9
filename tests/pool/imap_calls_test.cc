// ImapOptions, Map() and MapAsync(). The rest of imap_calls.h is in imap_test.cc.

#include "pool/imap_calls.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"
#include "tests/pool/imap_testing.h"

namespace verdant {
namespace {

TEST(ImapOptions, A3_10_B2_4_NoMoreThanMaxsizeInputsAreAheadOfTheResultsTaken) {
  for (std::uint64_t maxsize : {1u, 2u, 3u, 10u}) {
    for (bool unordered : {false, true}) {
      GreenPool pool(3);
      Counter input;
      std::uint64_t calls = 0;
      auto f = [&](int x) {
        ++calls;
        return x;
      };
      auto results = unordered ? pool.ImapUnordered({.maxsize = maxsize}, f, input)
                               : pool.Imap({.maxsize = maxsize}, f, input);
      Settle();
      EXPECT_EQ(calls, maxsize);
      for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(results.Next(), i);
        Settle();
        ASSERT_EQ(calls, maxsize + 1 + static_cast<std::uint64_t>(i));
        ASSERT_EQ(input.read, static_cast<int>(calls));
      }
    }
  }
}

TEST(ImapOptions, B2_4_NoMoreCallsThanThePoolsSizeWhateverMaxsizeIs) {
  GreenPool pool(3);
  int running = 0;
  int most = 0;
  auto results = pool.Imap(
      {.maxsize = 50},
      [&](int x) {
        most = std::max(most, ++running);
        for (int i = 0; i < 5; ++i) Sleep();
        --running;
        return x;
      },
      UpTo(100));
  EXPECT_EQ(ToVector(std::move(results)), UpTo(100));
  EXPECT_EQ(most, 3);
}

TEST(ImapOptions, B2_4_ResultsGatherWhileNobodyReads) {
  GreenPool pool(1);
  Counter input;
  auto results = pool.Imap({.maxsize = 100}, Twice, input);
  Settle();
  EXPECT_EQ(input.read, 100);
  EXPECT_EQ(results.Next(), 0);
}

TEST(ImapOptions, B2_4_WithMaxsizeOneOneCallIsMadeAtATime) {
  GreenPool pool(10);
  std::vector<std::string> log;
  auto results = pool.Imap(
      {.maxsize = 1},
      [&](int x) {
        log.push_back("begin " + std::to_string(x));
        Sleep();
        log.push_back("end " + std::to_string(x));
        return x;
      },
      UpTo(3));
  Settle();
  EXPECT_EQ(log.size(), 2u);
  EXPECT_EQ(results.Next(), 0);
  EXPECT_EQ(results.Next(), 1);
  EXPECT_EQ(log, (std::vector<std::string>{"begin 0", "end 0", "begin 1", "end 1"}));
  EXPECT_EQ(results.Next(), 2);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(ImapOptions, B2_4_ErrorsOfCallsAndInputTakeTheirPlacesToo) {
  GreenPool pool(4);
  Counter input;
  input.throw_at = 3;
  auto results = pool.Imap(
      {.maxsize = 2},
      [](int x) {
        if (x == 1) throw std::invalid_argument("one");
        return x;
      },
      input);
  EXPECT_EQ(results.Next(), 0);
  EXPECT_THROW(results.Next(), std::invalid_argument);
  EXPECT_EQ(results.Next(), 2);
  EXPECT_THROW(results.Next(), std::runtime_error);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(ImapOptions, B2_4_SeveralRangesAndTheDefault) {
  GreenPool pool(2);
  EXPECT_EQ(ToVector(pool.Imap(ImapOptions(), Twice, UpTo(3))), (std::vector<int>{0, 2, 4}));
  auto add = [](int a, int b) { return a + b; };
  EXPECT_EQ(ToVector(pool.Imap({.maxsize = 2}, add, UpTo(5), UpTo(3))),
            (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(ToVector(pool.Imap({.maxsize = 2}, Twice, std::vector<int>())), std::vector<int>());
}

TEST(ImapOptions, B2_4_AMaxsizeOfZeroIsMisuse) {
  GreenPool pool(2);
  EXPECT_THROW(static_cast<void>(pool.Imap({.maxsize = 0}, Twice, UpTo(3))), std::logic_error);
}

TEST(Map, B2_3_ReturnsAllResultsInOrder) {
  GreenPool pool(3);
  auto slow_first = [](int x) {
    for (int i = 0; i < 9 - x; ++i) Sleep();
    return x;
  };
  EXPECT_EQ(pool.Map(slow_first, UpTo(9)), UpTo(9));
  EXPECT_EQ(pool.Map(Twice, std::vector<int>()), std::vector<int>());
  EXPECT_EQ(pool.Map([](int) {}, UpTo(2)), (std::vector<std::monostate>(2)));
}

TEST(Map, B2_3_ThrowsTheFirstErrorInTheOrderOfTheInputAndEndsTheRest) {
  GreenPool pool(4);
  int unwound = 0;
  auto f = [&](int x) {
    struct Count {
      int& n;
      ~Count() { ++n; }
    } const count{unwound};
    if (x == 2) throw std::runtime_error("two");
    if (x == 1) {
      for (int i = 0; i < 5; ++i) Sleep();
      throw std::runtime_error("one");
    }
    if (x == 3) Sleep(absl::InfiniteDuration());
    return x;
  };
  try {
    pool.Map(f, UpTo(10));
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "one");
  }
  EXPECT_GE(unwound, 4);
}

TEST(Map, B2_3_AnErrorOfTheInputIsThrownAfterTheResultsBeforeIt) {
  GreenPool pool(2);
  Counter input;
  input.throw_at = 2;
  EXPECT_THROW(pool.Map(Twice, input), std::runtime_error);
  EXPECT_EQ(input.read, 2);
}

TEST(MapAsync, B2_3_GivesAHandleOnTheResults) {
  GreenPool pool(2);
  const auto before = Switches();
  auto results = pool.MapAsync(Twice, UpTo(4));
  EXPECT_EQ(Switches(), before);
  EXPECT_FALSE(results.Ready());
  EXPECT_EQ(results.Wait(), (std::vector<int>{0, 2, 4, 6}));
  auto failing = pool.MapAsync([](int) -> int { throw std::runtime_error("boom"); }, UpTo(4));
  EXPECT_THROW(failing.Wait(), std::runtime_error);
}

TEST(MapAsync, B2_3_CallsBackBeforeWaitersWake) {
  GreenPool pool(2);
  std::vector<int> seen;
  auto results = pool.MapAsync(Twice, UpTo(3), [&](const std::vector<int>& all) { seen = all; });
  EXPECT_EQ(results.Wait(), seen);
  EXPECT_EQ(seen, (std::vector<int>{0, 2, 4}));
  auto failing = pool.MapAsync([](int) -> int { throw std::runtime_error("boom"); }, UpTo(3),
                               [](const std::vector<int>&) { ADD_FAILURE(); });
  EXPECT_THROW(failing.Wait(), std::runtime_error);
}

TEST(MapAsync, B2_3_KillingItKillsTheCalls) {
  GreenPool pool(2);
  int unwound = 0;
  auto results = pool.MapAsync(
      [&](int x) {
        struct Count {
          int& n;
          ~Count() { ++n; }
        } const count{unwound};
        Sleep(absl::InfiniteDuration());
        return x;
      },
      UpTo(10));
  Settle();
  results.Kill();
  EXPECT_THROW(results.Wait(), GreenletExit);
  EXPECT_EQ(unwound, 2);
}

}  // namespace
}  // namespace verdant

// The maps of a ThreadPool.

#include <atomic>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/thread_pool.h"
#include "tests/pool/imap_testing.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

TEST(ThreadPool, B3_4_MapAndImapGiveTheResultsInOrder) {
  ThreadPool pool(3);
  std::vector<int> inputs(50);
  std::iota(inputs.begin(), inputs.end(), 0);
  std::vector<int> expected;
  for (const int x : inputs) expected.push_back(x * 2);
  EXPECT_EQ(pool.Map([](int x) { return x * 2; }, inputs), expected);
  std::vector<int> lazily;
  for (auto&& doubled : pool.Imap([](int x) { return x * 2; }, inputs)) lazily.push_back(doubled);
  EXPECT_EQ(lazily, expected);
  int sum = 0;
  for (auto&& doubled : pool.ImapUnordered([](int x) { return x * 2; }, inputs)) sum += doubled;
  EXPECT_EQ(sum, 50 * 49);
}

TEST(ThreadPool, B3_4_MapThrowsTheFirstErrorAndImapGoesOnAfterIt) {
  ThreadPool pool(2);
  const auto half = [](int x) {
    if (x % 2 != 0) throw std::domain_error(std::to_string(x));
    return x / 2;
  };
  try {
    pool.Map(half, std::vector<int>{2, 3, 4, 5});
    FAIL();
  } catch (const std::domain_error& e) {
    EXPECT_STREQ(e.what(), "3");
  }
  auto results = pool.Imap(half, std::vector<int>{2, 3, 4});
  EXPECT_EQ(results.Next(), 1);
  EXPECT_THROW(results.Next(), std::domain_error);
  EXPECT_EQ(results.Next(), 2);
  EXPECT_EQ(results.Next(), std::nullopt);
}

// Lets an imap go as far as it does while nobody reads.
void SettleCalls(ThreadPool& pool) {
  Settle();
  EXPECT_TRUE(pool.Join());
  Settle();
}

TEST(ThreadPool, B3_4_NoMoreInputsAreTakenThanResultsMayBeLeftWaiting) {
  for (const std::int64_t size : {1, 4}) {
    for (const bool unordered : {false, true}) {
      ThreadPool pool(size);
      Counter input;
      const auto same = [](int x) { return x; };
      auto results = unordered ? pool.ImapUnordered(same, input) : pool.Imap(same, input);
      SettleCalls(pool);
      EXPECT_EQ(input.read, size + 1);
      for (int taken = 1; taken <= 5; ++taken) {
        ASSERT_TRUE(results.Next());
        SettleCalls(pool);
        ASSERT_EQ(input.read, size + 1 + taken);
      }
    }
  }
}

TEST(ThreadPool, B3_4_MaxsizeBoundsTheUnconsumedResults) {
  for (const int maxsize : {1, 2, 9}) {
    for (const bool unordered : {false, true}) {
      ThreadPool pool(4);
      Counter input;
      auto calls = std::make_shared<std::atomic<int>>(0);
      const auto count = [calls](int x) {
        ++*calls;
        return x;
      };
      const ImapOptions options{.maxsize = static_cast<std::uint64_t>(maxsize)};
      auto results =
          unordered ? pool.ImapUnordered(options, count, input) : pool.Imap(options, count, input);
      SettleCalls(pool);
      EXPECT_EQ(*calls, maxsize);
      for (int taken = 1; taken <= 5; ++taken) {
        ASSERT_TRUE(results.Next());
        SettleCalls(pool);
        ASSERT_EQ(*calls, maxsize + taken);
        ASSERT_EQ(input.read, *calls);
      }
    }
  }
}

TEST(ThreadPool, B3_4_AnErrorOfTheInputStandsBehindTheResultsBeforeItAndEndsThem) {
  ThreadPool pool(2);
  for (const int good : {0, 1, 5}) {
    Counter input;
    input.throw_at = good;
    auto results = pool.Imap(Twice, input);
    for (int i = 0; i < good; ++i) EXPECT_EQ(results.Next(), 2 * i);
    try {
      results.Next();
      ADD_FAILURE();
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "the input broke");
    }
    EXPECT_EQ(results.Next(), std::nullopt);
    Counter again;
    again.throw_at = good;
    EXPECT_THROW(pool.Map(Twice, again), std::runtime_error);
  }
  EXPECT_TRUE(pool.Join());
  EXPECT_EQ(pool.Pending(), 0u);
}

TEST(ThreadPool, B3_4_ItHasEveryMapThatAGreenPoolHas) {
  ThreadPool pool(2);
  const std::thread::id here = std::this_thread::get_id();
  const auto add = [here](int a, int b) {
    if (std::this_thread::get_id() == here) throw std::logic_error("on the hub's thread");
    return a + b;
  };
  const std::vector<int> ones(3, 1);
  const std::vector<int> inputs = {1, 2, 3, 4};
  const std::vector<int> sums = {2, 3, 4};
  EXPECT_EQ(pool.Map(add, ones, inputs), sums);
  std::vector<int> starred;
  const std::vector<std::pair<int, int>> pairs = {{1, 1}, {1, 2}, {1, 3}};
  for (auto&& sum : pool.Starmap(add, pairs)) starred.push_back(sum);
  EXPECT_EQ(starred, sums);
  int calls = 0;
  auto all = pool.MapAsync([](int x) { return x + 1; }, std::vector<int>{1, 2, 3},
                           [&](const std::vector<int>&) { ++calls; });
  EXPECT_EQ(all.Wait(), sums);
  EXPECT_EQ(calls, 1);
  const auto same = [](int x) { return x; };
  EXPECT_THROW(static_cast<void>(pool.Imap({.maxsize = 0}, same, inputs)), std::logic_error);
}

}  // namespace
}  // namespace verdant

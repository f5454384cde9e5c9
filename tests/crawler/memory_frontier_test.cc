#include "apps/crawler/memory_frontier.h"

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"

namespace verdant::crawler {
namespace {

FrontierUrl At(const std::string& url, int depth = 0) { return {*Url::Parse(url), depth, 0}; }

std::vector<std::string> Drain(MemoryFrontier& frontier) {
  std::vector<std::string> given;
  while (std::optional<FrontierUrl> url = frontier.Next()) {
    given.push_back(url->url.href());
    frontier.Done(*url, true);
  }
  return given;
}

TEST(MemoryFrontier, GivesEachUrlOnceInTheOrderFound) {
  MemoryFrontier frontier({});
  EXPECT_TRUE(frontier.Add(At("http://a.test/1")));
  EXPECT_TRUE(frontier.Add(At("http://a.test/2")));
  EXPECT_FALSE(frontier.Add(At("http://a.test/1")));
  EXPECT_EQ(Drain(frontier), (std::vector<std::string>{"http://a.test/1", "http://a.test/2"}));
  EXPECT_FALSE(frontier.Add(At("http://a.test/2")));
  EXPECT_EQ(frontier.counts().known, 2);
}

TEST(MemoryFrontier, TakesHostsInTurn) {
  MemoryFrontier frontier({});
  for (const char* url :
       {"http://a.test/1", "http://a.test/2", "http://b.test/1", "http://b.test/2"}) {
    frontier.Add(At(url));
  }
  EXPECT_EQ(Drain(frontier), (std::vector<std::string>{"http://a.test/1", "http://b.test/1",
                                                       "http://a.test/2", "http://b.test/2"}));
  EXPECT_EQ(frontier.counts().hosts, 2);
}

TEST(MemoryFrontier, IsNotExhaustedWhileAUrlIsOutThatMayLeadToMore) {
  MemoryFrontier frontier({});
  frontier.Add(At("http://a.test/1"));
  const FrontierUrl first = *frontier.Next();
  std::vector<std::string> given;
  auto taker = Spawn([&] { given = Drain(frontier); });
  Sleep();
  EXPECT_FALSE(taker.Ready());
  frontier.Add(At("http://a.test/2"));
  frontier.Done(first, true);
  taker.Wait();
  EXPECT_EQ(given, std::vector<std::string>{"http://a.test/2"});
}

TEST(MemoryFrontier, EverybodyWhoWaitsLearnsThatItIsExhausted) {
  MemoryFrontier frontier({});
  frontier.Add(At("http://a.test/1"));
  const FrontierUrl only = *frontier.Next();
  std::vector<GreenThread<bool>> takers;
  for (int i = 0; i < 3; ++i) takers.push_back(Spawn([&] { return frontier.Next().has_value(); }));
  Sleep();
  frontier.Done(only, true);
  for (auto& taker : takers) EXPECT_FALSE(taker.Wait());
}

TEST(MemoryFrontier, HoldsBackAHostThatHasEnoughUnderWay) {
  MemoryFrontier frontier({.max_per_host = 1});
  frontier.Add(At("http://a.test/1"));
  frontier.Add(At("http://a.test/2"));
  frontier.Add(At("http://b.test/1"));
  const FrontierUrl a = *frontier.Next();
  const FrontierUrl b = *frontier.Next();
  EXPECT_EQ(b.url.host(), "b.test");
  auto taker = Spawn([&] { return frontier.Next()->url.href(); });
  Sleep();
  EXPECT_FALSE(taker.Ready());
  frontier.Done(b, true);
  Sleep();
  EXPECT_FALSE(taker.Ready());
  frontier.Done(a, true);
  EXPECT_EQ(taker.Wait(), "http://a.test/2");
}

TEST(MemoryFrontier, LeavesTheDelayBetweenTwoUrlsOfAHost) {
  MemoryFrontier frontier({.delay = absl::Milliseconds(20)});
  frontier.Add(At("http://a.test/1"));
  frontier.Add(At("http://a.test/2"));
  const std::int64_t began = Hub::Current().NowNanos();
  EXPECT_EQ(Drain(frontier).size(), 2u);
  EXPECT_GE(Hub::Current().NowNanos() - began, 20000000);
}

TEST(MemoryFrontier, AUrlThatWasNotAskedForCostsNoDelayAndNoneOfTheLimit) {
  MemoryFrontier frontier({.delay = absl::Hours(1), .max_urls = 1});
  frontier.Add(At("http://a.test/1"));
  frontier.Add(At("http://a.test/2"));
  const FrontierUrl denied = *frontier.Next();
  frontier.Done(denied, /*asked=*/false);
  const std::optional<FrontierUrl> next = frontier.Next();
  ASSERT_TRUE(next.has_value());
  frontier.Done(*next, true);
  EXPECT_FALSE(frontier.Next().has_value());
}

TEST(MemoryFrontier, StopsAtItsLimitEvenWithUrlsLeft) {
  MemoryFrontier frontier({.max_urls = 2});
  for (int i = 0; i < 5; ++i) frontier.Add(At("http://a.test/" + std::to_string(i)));
  EXPECT_EQ(Drain(frontier).size(), 2u);
  EXPECT_EQ(frontier.counts().pending, 3);
}

TEST(MemoryFrontier, StopWakesWhoeverWaits) {
  MemoryFrontier frontier({});
  frontier.Add(At("http://a.test/1"));
  const FrontierUrl only = *frontier.Next();
  auto taker = Spawn([&] { return frontier.Next().has_value(); });
  Sleep();
  frontier.Stop();
  EXPECT_FALSE(taker.Wait());
  frontier.Done(only, true);
}

TEST(MemoryFrontier, SlowDownKeepsTheLongerDelayAndAllowsOneAtATime) {
  MemoryFrontier frontier({.delay = absl::Milliseconds(1)});
  const Url url = *Url::Parse("http://a.test/");
  frontier.SlowDown(url, absl::Milliseconds(30));
  frontier.SlowDown(url, absl::Milliseconds(5));
  frontier.Add(At("http://a.test/1"));
  frontier.Add(At("http://a.test/2"));
  const std::int64_t began = Hub::Current().NowNanos();
  Drain(frontier);
  EXPECT_GE(Hub::Current().NowNanos() - began, 30000000);
}

TEST(MemoryFrontier, APausedHostDoesNotHoldUpOthers) {
  MemoryFrontier frontier({});
  frontier.Add(At("http://a.test/1"));
  frontier.Pause(*Url::Parse("http://a.test/"), absl::Hours(1));
  frontier.Add(At("http://b.test/1"));
  const std::optional<FrontierUrl> next = frontier.Next();
  EXPECT_EQ(next->url.host(), "b.test");
  frontier.Done(*next, true);
  EXPECT_FALSE(
      WithTimeout(absl::Milliseconds(5), [&] { return frontier.Next().has_value(); }).has_value());
}

TEST(MemoryFrontier, AKilledWaiterLeavesTheFrontierWhole) {
  MemoryFrontier frontier({});
  frontier.Add(At("http://a.test/1"));
  const FrontierUrl only = *frontier.Next();
  auto taker = Spawn([&] { frontier.Next(); });
  Sleep();
  taker.Kill();
  frontier.Add(At("http://a.test/2"));
  frontier.Done(only, true);
  EXPECT_EQ(Drain(frontier), std::vector<std::string>{"http://a.test/2"});
}

}  // namespace
}  // namespace verdant::crawler

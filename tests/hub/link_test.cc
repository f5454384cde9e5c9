#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/handle.h"
#include "hub/sleep.h"
#include "tests/hub/green_thread_testing.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

TEST(Link, A1_7_LinksRunInOrderInsideTheEndedGreenThreadBeforeWaitersWake) {
  std::vector<std::string> order;
  auto green = Spawn([&] { order.push_back("body"); });
  const std::uint64_t id = green.id();
  for (const char* name : {"first", "second"}) {
    green.Link([&order, name, id] {
      EXPECT_EQ(CurrentGreenThread().id(), id);
      order.push_back(name);
    });
  }
  green.Wait();
  order.push_back("waiter");
  EXPECT_EQ(order, (std::vector<std::string>{"body", "first", "second", "waiter"}));
}

TEST(Link, A1_7_OnAnEndedOneItIsCalledAtOnce) {
  auto green = Spawn([] {});
  green.Wait();
  bool called = false;
  green.Link([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(Link, A1_7_OneAddedByALinkRunsAfterTheOthers) {
  std::vector<int> order;
  auto green = Spawn([] {});
  green.Link([&] {
    order.push_back(1);
    green.Link([&] { order.push_back(3); });
  });
  green.Link([&] { order.push_back(2); });
  green.Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Link, A1_8_Decision6_WhatALinkThrowsIsReportedAndTheOthersStillRun) {
  Reports reports;
  bool second = false;
  auto green = Spawn([] { return 1; });
  green.Link([] { throw std::runtime_error("link"); });
  green.Link([&] { second = true; });
  EXPECT_EQ(green.Wait(), 1);
  EXPECT_TRUE(second);
  ASSERT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: link"});
  EXPECT_EQ(reports.contexts[0].find("a link of green thread"), 0u);
}

TEST(Link, A1_9_UnlinkSaysWhetherItWasThere) {
  bool called = false;
  auto green = Spawn([] {});
  const std::uint64_t link = green.Link([&] { called = true; });
  EXPECT_TRUE(green.Unlink(link));
  EXPECT_FALSE(green.Unlink(link));
  EXPECT_FALSE(green.Unlink(0));
  green.Wait();
  EXPECT_FALSE(called);
}

TEST(Link, A1_8_AnErringLinkStopsNoneAndTheWaiterGetsTheResult) {
  Reports reports;
  std::vector<int> order;
  auto green = Spawn([] { return 1; });
  for (int i = 0; i < 4; ++i) {
    green.Link([&order, i] {
      order.push_back(i);
      if (i % 2 == 0) throw std::runtime_error("link " + std::to_string(i));
    });
  }
  EXPECT_EQ(green.Wait(), 1);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(reports.errors,
            (std::vector<std::string>{"std::runtime_error: link 0", "std::runtime_error: link 2"}));
  // No different for one that is called at once.
  EXPECT_EQ(green.Link([] { throw std::runtime_error("late"); }), 0u);
  EXPECT_EQ(reports.errors.back(), "std::runtime_error: late");
}

TEST(Link, A1_11_WhileLinksRunItIsReadyButNotDead) {
  auto green = Spawn([] { return 1; });
  int looked = 0;
  green.Link([&](const GreenThread<int>& ended) {
    EXPECT_TRUE(ended.Ready());
    EXPECT_FALSE(ended.Dead());
    EXPECT_EQ(*ended.Value(), 1);
    ++looked;
  });
  green.Join();
  EXPECT_TRUE(green.Dead());
  auto unstarted = Prepare([] {});
  unstarted.Link([&](const AnyGreenThread& ended) {
    EXPECT_EQ(ended.State(), GreenThreadState::kCancelled);
    EXPECT_FALSE(ended.Dead());
    ++looked;
  });
  unstarted.Kill();
  EXPECT_TRUE(unstarted.Dead());
  EXPECT_EQ(looked, 2);
}

TEST(Link, B1_8_ValueAndExceptionFlavoursFireForTheirEndOnly) {
  std::vector<std::string> heard;
  const auto link_all = [&](const auto& green, const std::string& name) {
    green.LinkValue([&heard, name](int& result) {
      heard.push_back(name + " result " + std::to_string(result));
    });
    green.LinkValue([&heard, name](GreenThread<int> thread) {
      heard.push_back(name + " thread " + std::to_string(*thread.Value()));
    });
    green.LinkValue([&heard, name] { heard.push_back(name + " value"); });
    green.LinkException([&heard, name](const std::exception_ptr& error) {
      heard.push_back(name + " " + DescribeException(error));
    });
    green.LinkException([&heard, name](GreenThread<int> thread) {
      heard.push_back(name + (thread.Killed() ? " killed" : " failed"));
    });
    green.LinkException([&heard, name] { heard.push_back(name + " exception"); });
  };
  auto good = Spawn([] { return 4; });
  auto bad = Spawn([]() -> int { throw std::runtime_error("boom"); });
  auto killed = Spawn([]() -> int { throw GreenletExit(); });
  link_all(good, "good");
  link_all(bad, "bad");
  link_all(killed, "killed");
  JoinAll({good, bad, killed});
  EXPECT_EQ(heard, (std::vector<std::string>{"good result 4", "good thread 4", "good value",
                                             "bad std::runtime_error: boom", "bad failed",
                                             "bad exception", "killed verdant::GreenletExit",
                                             "killed killed", "killed exception"}));
  heard.clear();
  link_all(good, "late");  // ended already: at once
  EXPECT_EQ(heard, (std::vector<std::string>{"late result 4", "late thread 4", "late value"}));
}

TEST(Link, B1_8_OfAVoidOneToo) {
  std::vector<std::string> heard;
  auto green = Spawn([] {});
  green.LinkValue([&] { heard.emplace_back("value"); });
  green.LinkValue([&](const GreenThread<void>&) { heard.emplace_back("thread"); });
  green.Link([&](auto thread) {
    static_assert(std::is_same_v<decltype(thread), GreenThread<void>>);
    heard.emplace_back("link");
  });
  const AnyGreenThread any = green;
  any.Link([&](const AnyGreenThread& thread) {
    EXPECT_EQ(thread, any);
    heard.emplace_back("any");
  });
  any.LinkException([&] { heard.emplace_back("never"); });
  green.Wait();
  EXPECT_EQ(heard, (std::vector<std::string>{"value", "thread", "link", "any"}));
}

TEST(Link, B1_8_HandsItsEndOnToAnEventOrAQueue) {
  Event<int> result;
  Event<int> error;
  Event<> done;
  struct Inbox {
    void Put(GreenThread<int> thread) { threads.push_back(std::move(thread)); }
    std::vector<GreenThread<int>> threads;
  } inbox;
  struct Outcome {  // set again and again, like an AsyncResult
    void Set(int v) { value = v; }
    void SetException(std::exception_ptr e) { exception = std::move(e); }
    int value = 0;
    std::exception_ptr exception;
  } outcome;
  auto good = Spawn([] { return 4; });
  auto bad = Spawn([]() -> int { throw std::runtime_error("boom"); });
  auto nothing = Spawn([] {});
  good.LinkTo(result);
  bad.LinkTo(error);
  nothing.LinkTo(done);
  for (const auto* green : {&bad, &good}) {
    green->LinkTo(inbox);
    green->LinkTo(outcome);
  }
  EXPECT_EQ(result.Wait(), 4);
  EXPECT_THROW(error.Wait(), std::runtime_error);
  done.Wait();
  ASSERT_EQ(inbox.threads.size(), 2u);
  EXPECT_EQ(inbox.threads[0], good);  // in the order they ended
  EXPECT_EQ(inbox.threads[1], bad);
  EXPECT_EQ(outcome.value, 4);
  EXPECT_EQ(DescribeException(outcome.exception), "std::runtime_error: boom");
}

TEST(Link, B1_8_UnlinkAllAndHasLinks) {
  int called = 0;
  auto green = Spawn([] {});
  EXPECT_FALSE(green.HasLinks());
  const std::uint64_t first = green.Link([&] { ++called; });
  green.LinkValue([&] { ++called; });
  EXPECT_NE(first, 0u);
  EXPECT_TRUE(green.HasLinks());
  EXPECT_TRUE(green.Unlink(first));
  EXPECT_TRUE(green.HasLinks());
  green.UnlinkAll();
  EXPECT_FALSE(green.HasLinks());
  green.UnlinkAll();
  green.Link([&] { called += 10; });
  green.Wait();
  EXPECT_EQ(called, 10);
  EXPECT_FALSE(green.HasLinks());
  // What cancels the timer of a delayed start is none.
  WithManualClock([](ManualClock&) {
    auto later = SpawnAfter(absl::Seconds(1), [] {});
    EXPECT_FALSE(later.HasLinks());
    later.UnlinkAll();
    later.Kill();
    EXPECT_EQ(Hub::Current().counts().timers, 0u);
  });
}

TEST(Link, B1_8_UnlinkingWhileLinksRunIsHonoured) {
  std::vector<int> order;
  std::vector<std::uint64_t> links;
  std::vector<bool> unlinked;
  auto green = Spawn([] {});
  links.push_back(green.Link([&] {
    order.push_back(0);
    unlinked.push_back(green.Unlink(links[0]));  // runs now: too late
    unlinked.push_back(green.Unlink(links[2]));
    links.push_back(green.Link([&] { order.push_back(3); }));
    links.push_back(green.Link([&] { order.push_back(4); }));
    unlinked.push_back(green.Unlink(links[3]));
  }));
  links.push_back(green.Link([&] { order.push_back(1); }));
  links.push_back(green.Link([&] { order.push_back(2); }));
  green.Wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 4}));
  EXPECT_EQ(unlinked, (std::vector<bool>{false, true, true}));

  order.clear();
  auto other = Spawn([] {});
  other.Link([&] {
    order.push_back(0);
    other.UnlinkAll();
    other.Link([&] { order.push_back(2); });
  });
  other.Link([&] { order.push_back(1); });
  other.Wait();
  EXPECT_EQ(order, (std::vector<int>{0, 2}));
}

TEST(Link, B1_8_AThousandOfWhichHalfAreTakenBackRunInOrder) {
  std::vector<int> order;
  std::vector<std::uint64_t> links;
  auto green = Spawn([] {});
  for (int i = 0; i < 1000; ++i) links.push_back(green.Link([&order, i] { order.push_back(i); }));
  for (std::size_t i = 0; i < 1000; i += 2) EXPECT_TRUE(green.Unlink(links[i]));
  for (std::size_t i = 0; i < 1000; i += 2) EXPECT_FALSE(green.Unlink(links[i]));
  green.Wait();
  ASSERT_EQ(order.size(), 500u);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(order[i], static_cast<int>(2 * i + 1));
}

TEST(Link, ALinkThatLooksAtNoErrorDoesNotHideIt) {
  Reports reports;
  {
    auto bad = Spawn([]() -> int { throw std::runtime_error("unseen"); });
    bad.LinkValue([](int) {});
    bad.Unlink(bad.Link([] {}));  // taken back: it has seen nothing
    Sleep();
    Sleep();
  }
  EXPECT_EQ(reports.errors, std::vector<std::string>{"std::runtime_error: unseen"});
  {
    auto seen = Spawn([]() -> int { throw std::runtime_error("seen"); });
    seen.LinkException([] {});
    Sleep();
    Sleep();
  }
  EXPECT_EQ(reports.errors.size(), 1u);
}

TEST(Link, MisuseIsALogicError) {
  auto green = Spawn([] { Sleep(); });
  EXPECT_THROW(green.Link(absl::AnyInvocable<void()>()), std::logic_error);
  OnFreshThread([&] {
    EXPECT_NE(LogicError([&] { green.Link([] {}); }).find("another thread's hub"),
              std::string::npos);
    EXPECT_THROW(green.LinkValue([] {}), std::logic_error);
    EXPECT_THROW(green.Unlink(1), std::logic_error);
    EXPECT_THROW(green.UnlinkAll(), std::logic_error);
  });
  EXPECT_FALSE(green.HasLinks());
  green.Wait();
}

}  // namespace
}  // namespace verdant

#include "hub/internal/links.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hub/async_result.h"
#include "hub/event.h"
#include "hub/flag.h"
#include "hub/semaphore.h"
#include "tests/hub/sync_testing.h"

namespace verdant::internal {
namespace {

TEST(Links, B4_4_AreCalledOnceEachInTheOrderTheyWereLinked) {
  Links links;
  std::vector<int> called;
  for (int i = 0; i < 4; ++i) {
    EXPECT_NE(links.Add("it", false, [&called, i] { called.push_back(i); }), 0u);
  }
  links.Notify("it");
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{0, 1, 2, 3}));
}

TEST(Links, B4_4_OneOfWhatIsReadyIsCalledAtOnce) {
  Links links;
  int called = 0;
  const std::uint64_t id = links.Add("it", true, [&] { ++called; });
  EXPECT_EQ(id, 0u);
  EXPECT_EQ(called, 1);
  EXPECT_FALSE(links.Remove(id));
  links.Notify("it");
  EXPECT_EQ(called, 1);
}

TEST(Links, AnEmptyOneIsRefused) {
  Links links;
  for (const bool ready : {false, true}) {
    EXPECT_THROW(links.Add("it", ready, nullptr), std::logic_error);
  }
  EXPECT_TRUE(links.unused());
  Event<> event;
  Flag flag;
  Semaphore semaphore(0);
  AsyncResult<int> result;
  EXPECT_THROW(event.Link(nullptr), std::logic_error);
  EXPECT_THROW(flag.Link(nullptr), std::logic_error);
  EXPECT_THROW(semaphore.Link(nullptr), std::logic_error);
  EXPECT_THROW(result.Link(nullptr), std::logic_error);
}

TEST(Links, B4_4_WhatOneThrowsIsReportedAndTheOthersAreCalled) {
  Reports reports;
  Links links;
  int called = 0;
  links.Add("a thing", false, [&] { ++called; });
  links.Add("a thing", false, [] { throw std::runtime_error("first"); });
  links.Add("a thing", false, [&] { ++called; });
  links.Notify("a thing");
  links.Add("a thing", true, [] { throw std::runtime_error("at once"); });
  EXPECT_EQ(called, 2);
  EXPECT_EQ(reports.texts, (std::vector<std::string>{
                               "a link of a thing: std::runtime_error: first",
                               "a link of a thing: std::runtime_error: at once",
                           }));
}

TEST(Links, B4_4_ARemovedOneIsNotCalledAndGoesOnlyOnce) {
  Links links;
  std::vector<int> called;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(links.Add("it", false, [&called, i] { called.push_back(i); }));
  }
  EXPECT_TRUE(links.Remove(ids[1]));
  EXPECT_FALSE(links.Remove(ids[1]));
  EXPECT_FALSE(links.Remove(0));
  EXPECT_FALSE(links.Remove(99));
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{0, 2}));
  EXPECT_FALSE(links.Remove(ids[0]));
}

TEST(Links, B4_4_RemovingALaterOneWhileTheyAreCalledIsHonoured) {
  Links links;
  std::vector<int> called;
  std::uint64_t first = 0;
  std::uint64_t later = 0;
  first = links.Add("it", false, [&] {
    called.push_back(1);
    EXPECT_FALSE(links.Remove(first)) << "it is being called";
    EXPECT_TRUE(links.Remove(later));
  });
  links.Add("it", false, [&] { called.push_back(2); });
  later = links.Add("it", false, [&] { called.push_back(3); });
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{1, 2}));
}

TEST(Links, A1_7_OneLinkedByALinkGoesAfterTheOthersAndDoesNotRecurse) {
  Links links;
  std::vector<int> called;
  links.Add("it", false, [&] {
    EXPECT_NE(links.Add("it", true, [&] { called.push_back(3); }), 0u);
    called.push_back(1);
  });
  links.Add("it", false, [&] { called.push_back(2); });
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
}

TEST(Links, OneLinkedByALinkWhenTheThingIsNoLongerReadyWaitsForTheNextTime) {
  Links links;
  std::vector<int> called;
  links.Add("it", false, [&] {
    called.push_back(1);
    links.Add("it", false, [&] { called.push_back(3); });
  });
  links.Add("it", false, [&] { called.push_back(2); });
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{1, 2}));
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
}

TEST(Links, AThingThatBecomesReadyAgainInALinkIsSeenToByTheSameRound) {
  Links links;
  std::vector<int> called;
  links.Add("it", false, [&] {
    links.Add("it", false, [&] { called.push_back(3); });
    links.Notify("it");
    called.push_back(1);
  });
  links.Add("it", false, [&] { called.push_back(2); });
  links.Notify("it");
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3}));
}

TEST(Links, AreCalledOnlyForAsLongAsTheThingIsReady) {
  Links links;
  int left = 2;
  int called = 0;
  for (int i = 0; i < 5; ++i) {
    links.Add("it", false, [&] {
      --left;
      ++called;
    });
  }
  const auto ready = [&] { return left > 0; };
  links.Notify("it", ready);
  EXPECT_EQ(called, 2);
  links.Notify("it", ready);
  EXPECT_EQ(called, 2);
  left = 3;
  links.Notify("it", ready);
  EXPECT_EQ(called, 5);
}

TEST(Links, OneMayDestroyTheThingAndTheRestGoWithIt) {
  std::optional<Links> links(std::in_place);
  const auto held = std::make_shared<int>(1);
  int called = 0;
  links->Add("it", false, [&] {
    ++called;
    links.reset();
  });
  links->Add("it", false, [&called, held] { ++called; });
  links->Notify("it");
  EXPECT_EQ(called, 1);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Links, TheDestructorOfOneThatIsRemovedMayRemoveAnother) {
  Links links;
  std::uint64_t other = 0;
  struct RemovesOther {
    Links& links;
    std::uint64_t& other;
    ~RemovesOther() { links.Remove(other); }
  };
  auto remover = std::make_shared<RemovesOther>(RemovesOther{links, other});
  const std::uint64_t id = links.Add("it", false, [remover] {});
  int called = 0;
  other = links.Add("it", false, [&] { ++called; });
  remover = nullptr;
  EXPECT_TRUE(links.Remove(id));
  EXPECT_FALSE(links.Remove(other));
  links.Notify("it");
  EXPECT_EQ(called, 0);
}

TEST(Links, AThousandComeAndGoInAnyOrder) {
  Links links;
  std::vector<int> called;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(links.Add("it", false, [&called, i] { called.push_back(i); }));
    // Two of three leave again, some at once and some late.
    if (i % 3 == 1) {
      EXPECT_TRUE(links.Remove(ids[i]));
    } else if (i % 3 == 2 && i > 500) {
      EXPECT_TRUE(links.Remove(ids[i - 498]));
    }
  }
  std::vector<int> expected;
  for (int i = 0; i < 1000; ++i) {
    if (links.Remove(ids[i])) {
      ids[i] = links.Add("it", false, [&called, i] { called.push_back(i); });
      expected.push_back(i);
    }
  }
  links.Notify("it");
  EXPECT_EQ(called, expected);
  EXPECT_GT(expected.size(), 333u);
}

TEST(Links, BelongToTheThreadThatLinked) {
  Links links;
  const std::uint64_t id = links.Add("it", false, [] {});
  std::thread([&] {
    EXPECT_THROW(links.CheckThread("it"), std::logic_error);
    EXPECT_THROW(links.Add("it", false, [] {}), std::logic_error);
    EXPECT_THROW(links.Remove(id), std::logic_error);
  }).join();
  EXPECT_TRUE(links.Remove(id));
}

}  // namespace
}  // namespace verdant::internal

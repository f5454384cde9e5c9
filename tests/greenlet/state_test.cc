#include <sstream>
#include <string>
#include <thread>
#include <type_traits>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(State, C8_DeadStartedAndActiveFollowItsLife) {
  Greenlet child([] {
    const Greenlet& self = Greenlet::Current();
    EXPECT_TRUE(self.started() && self.active() && !self.dead());
    ToParent();
  });
  EXPECT_TRUE(!child.started() && !child.active() && !child.dead());
  child.Switch();
  EXPECT_TRUE(child.started() && child.active() && !child.dead());
  child.Switch();
  EXPECT_TRUE(child.started() && !child.active() && child.dead());
}

TEST(State, C8_MainIsAlwaysActive) {
  const Greenlet main = Greenlet::Current();
  EXPECT_TRUE(main.active());
  Greenlet([&] { EXPECT_TRUE(main.active()); }).Switch();
  EXPECT_EQ(Greenlet::Current(), main);
}

TEST(State, C14_OnlyWhatItsThreadBeganWithIsMain) {
  const Greenlet main = Greenlet::Current();
  EXPECT_TRUE(main.is_main());
  Greenlet child([&] {
    EXPECT_FALSE(Greenlet::Current().is_main());
    EXPECT_TRUE(Greenlet::Current().parent().is_main());
  });
  EXPECT_FALSE(child.is_main());
  child.Switch();
  EXPECT_FALSE(child.is_main());
  std::thread([&] {
    EXPECT_TRUE(main.is_main());
    EXPECT_TRUE(Greenlet::Current().is_main());
    EXPECT_NE(Greenlet::Current(), main);
  }).join();
}

TEST(State, C8_AnEmptyHandleIsInNone) {
  const Greenlet none;
  EXPECT_FALSE(none.is_main());
  EXPECT_TRUE(!none.started() && !none.active() && !none.dead());
  EXPECT_THROW(none.name(), std::logic_error);
}

TEST(State, C15_WhatIsOnTheStackStaysWhereItIs) {
  Greenlet child([] {
    int local = 1;
    for (;;) ToParent(&local);
  });
  int* local = std::any_cast<int*>(child.Switch());
  EXPECT_EQ(*local, 1);
  *local = 2;
  EXPECT_EQ(std::any_cast<int*>(child.Switch()), local);
  EXPECT_EQ(*local, 2);
}

TEST(State, C16_CopiesOfAHandleAreTheSameGreenlet) {
  Greenlet child([] { ToParent(); });
  const Greenlet copy = child;
  EXPECT_EQ(copy, child);
  copy.Switch();
  EXPECT_TRUE(child.started());
  Greenlet moved = std::move(child);
  EXPECT_EQ(copy, moved);
  EXPECT_NE(copy, Greenlet([] {}));
  EXPECT_EQ(Greenlet(), Greenlet());
}

TEST(State, C16_IsInTheDescription) {
  Greenlet child(
      [] {
        EXPECT_EQ(Greenlet::Current().Description(), "greenlet 'worker', current");
        EXPECT_EQ(Greenlet::Current().parent().Description(), "main greenlet, suspended");
        ToParent();
      },
      {.name = "worker"});
  EXPECT_EQ(child.Description(), "greenlet 'worker', pending");
  child.Switch();
  EXPECT_EQ(child.Description(), "greenlet 'worker', suspended");
  child.Switch();
  EXPECT_EQ(child.Description(), "greenlet 'worker', dead");
  EXPECT_EQ(Greenlet::Current().Description(), "main greenlet, current");
  EXPECT_EQ(Greenlet().Description(), "no greenlet");
  std::ostringstream out;
  out << Greenlet([] {});
  EXPECT_EQ(out.str(), "greenlet, pending");
}

TEST(State, C16_OfAnotherThreadIsInTheDescriptionToo) {
  Greenlet child([] { ToParent(); }, {.name = "theirs"});
  const Greenlet main = Greenlet::Current();
  child.Switch();
  OnFreshThread([&] {
    EXPECT_EQ(child.Description(), "greenlet 'theirs', active, of another thread");
    EXPECT_EQ(main.Description(), "main greenlet, active, of another thread");
  });
  Greenlet gone;
  Greenlet gone_main;
  OnFreshThread([&] {
    gone = Greenlet([] {});
    gone_main = Greenlet::Current();
  });
  EXPECT_EQ(gone.Description(), "greenlet, pending, of a thread that has exited");
  EXPECT_EQ(gone_main.Description(), "main greenlet, dead, of a thread that has exited");
}

}  // namespace
}  // namespace verdant

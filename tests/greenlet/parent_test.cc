#include <any>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

TEST(Parent, C1_IsTheGreenletThatCreatesOneUnlessAnotherIsNamed) {
  const Greenlet main = Greenlet::Current();
  Greenlet sibling([] {});
  Greenlet outer([&] {
    const Greenlet inner([] {});
    EXPECT_EQ(inner.parent(), Greenlet::Current());
    const Greenlet elsewhere([] {}, {.parent = &sibling});
    EXPECT_EQ(elsewhere.parent(), sibling);
  });
  EXPECT_EQ(outer.parent(), main);
  outer.Switch();
  EXPECT_TRUE(outer.dead());
}

TEST(Parent, C1_MayBeChangedAlsoOfAStartedOne) {
  Greenlet other([](Greenlet::Value value) { return std::any_cast<int>(value) + 1; });
  Greenlet child([] {
    ToParent();
    return 1;
  });
  child.Switch();
  child.set_parent(other);
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 2);
  EXPECT_TRUE(other.dead());
}

TEST(Parent, C1_CyclesAreRefusedAndChangeNothing) {
  Greenlet a([] {});
  Greenlet b([] {}, {.parent = &a});
  Greenlet c([] {}, {.parent = &b});
  const Greenlet main = Greenlet::Current();
  for (const Greenlet& descendant : {a, b, c}) {
    try {
      a.set_parent(descendant);
      ADD_FAILURE();
    } catch (const std::logic_error& e) {
      EXPECT_NE(std::string(e.what()).find("cyclic parent chain"), std::string::npos) << e.what();
    }
  }
  EXPECT_EQ(a.parent(), main);
}

TEST(Parent, C1_CannotBeTakenAwayAndMainHasNone) {
  Greenlet a([] {});
  EXPECT_THROW(a.set_parent(Greenlet()), std::logic_error);
  EXPECT_THROW(Greenlet().set_parent(a), std::logic_error);
  EXPECT_THROW(Greenlet::Current().set_parent(a), std::logic_error);
  EXPECT_FALSE(Greenlet::Current().parent());
  EXPECT_THROW(Greenlet().parent(), std::logic_error);
}

TEST(Parent, C1_OfAnotherThreadBindsAnUnstartedOneToThatThread) {
  Greenlet child;
  int ends = 0;
  OnFreshThread([&] {
    const Greenlet here = Greenlet::Current();
    std::thread([&] {
      const std::thread::id maker = std::this_thread::get_id();
      child = Greenlet(
          [maker, guard = CountsEnd(ends)] { return std::this_thread::get_id() != maker; });
      child.set_parent(here);
      EXPECT_THROW(child.Switch(), std::logic_error);
      EXPECT_THROW(child.set_parent(here), std::logic_error);
    }).join();
    EXPECT_EQ(child.parent(), here);
    EXPECT_TRUE(std::any_cast<bool>(child.Switch()));
    EXPECT_EQ(ends, 1);
  });
  EXPECT_TRUE(child.dead());
}

TEST(Parent, C1_OfAnotherThreadIsRefusedForAStartedOne) {
  Greenlet child([] { ToParent(); });
  child.Switch();
  const Greenlet main = Greenlet::Current();
  OnFreshThread([&] {
    Greenlet theirs([] { ToParent(); });
    theirs.Switch();
    EXPECT_THROW(theirs.set_parent(main), std::logic_error);
    EXPECT_EQ(theirs.parent(), Greenlet::Current());
    EXPECT_THROW(child.set_parent(Greenlet::Current()), std::logic_error);
  });
  EXPECT_EQ(child.parent(), main);
}

TEST(Parent, C1_OfAThreadThatHasExitedIsRefused) {
  Greenlet gone;
  OnFreshThread([&] { gone = Greenlet::Current(); });
  Greenlet child([] { return 1; });
  EXPECT_THROW(child.set_parent(gone), std::logic_error);
  EXPECT_EQ(child.parent(), Greenlet::Current());
  EXPECT_EQ(std::any_cast<int>(child.Switch()), 1);
}

TEST(Parent, C1_ThatMovedToAnotherThreadLeavesItsChildrenToTheirMain) {
  const Greenlet main = Greenlet::Current();
  Greenlet moved;
  OnFreshThread([&] {
    moved = Greenlet([] { return 1; });
    Greenlet child([] { return 5; }, {.parent = &moved});
    moved.set_parent(main);
    EXPECT_EQ(std::any_cast<int>(child.Switch()), 5);
    EXPECT_FALSE(moved.started());
  });
  EXPECT_EQ(std::any_cast<int>(moved.Switch()), 1);
}

TEST(Run, C2_IsNeededAtConstruction) {
  EXPECT_THROW(Greenlet(std::function<void()>()), std::logic_error);
  void (*none)() = nullptr;
  EXPECT_THROW(Greenlet{none}, std::logic_error);
}

TEST(Run, C2_IsGoneWithWhatItHoldsOnceItHasReturned) {
  int ends = 0;
  Greenlet child([guard = CountsEnd(ends)] { ToParent(); });
  child.Switch();
  EXPECT_EQ(ends, 0);
  child.Switch();
  EXPECT_EQ(ends, 1);
  child.Switch();
  EXPECT_EQ(ends, 1);
}

// The C++ counterpart of a run attribute that switches while it is looked up.
TEST(Run, C2_AnArgumentWhoseCopyingStartsTheSameGreenletIsAnAnswerInstead) {
  std::vector<std::string> seen;
  Greenlet child([&](Greenlet::Value first) {
    seen.push_back(std::any_cast<std::string>(first));
    seen.push_back(ToParent().has_value() ? "value" : "nothing");
  });
  struct Starts {
    explicit Starts(Greenlet& g) : greenlet(&g) {}
    Starts(const Starts& other) : greenlet(other.greenlet) {
      if (!greenlet->started()) greenlet->Switch(std::string("earlier"));
    }
    Greenlet* greenlet;
  };
  const Starts starts(child);
  child.Switch(starts);
  EXPECT_EQ(seen, (std::vector<std::string>{"earlier", "value"}));
  EXPECT_TRUE(child.dead());
}

TEST(Run, C2_OneWithoutAStackStaysUnstartedAndKeepsNothingOfTheAttempt) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer does not let mappings fail";
#endif
  Greenlet huge([](Greenlet::Value value) { return value; }, {.stack_size = std::size_t{1} << 50});
  EXPECT_THROW(huge.Switch(1), StackExhausted);
  EXPECT_FALSE(huge.started());
  // As the heir of another it dies of that, and the next ancestor hears of it.
  Greenlet child([] { return 5; });
  child.set_parent(huge);
  EXPECT_THROW(child.Switch(), StackExhausted);
  EXPECT_TRUE(child.dead());
  EXPECT_TRUE(huge.dead());
}

}  // namespace
}  // namespace verdant

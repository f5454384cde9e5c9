#include <any>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "greenlet/trace.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"
#include "tests/testing/death_tests.h"

namespace verdant {
namespace {

TEST(Drop, C10_DroppingTheLastHandleUnwindsASuspendedGreenlet) {
  bool destroyed = false;
  struct Flag {
    bool* flag;
    ~Flag() { *flag = true; }
  };
  {
    Greenlet child([&] {
      Flag flag{&destroyed};
      Greenlet::Current().parent().Switch();
    });
    child.Switch();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(Drop, C10_OneThatDropsItsOwnLastHandleIsUnwoundWhenItSuspends) {
  bool destroyed = false;
  struct Flag {
    bool* flag;
    ~Flag() { *flag = true; }
  };
  Greenlet child;
  child = Greenlet([&] {
    Flag flag{&destroyed};
    child = Greenlet();
    Greenlet::Current().parent().Switch();
  });
  Greenlet(child).Switch();
  EXPECT_TRUE(destroyed);
}

TEST(Drop, C10_AGreenletUnwoundOnArrivalDoesNotEatWhatArrived) {
  Greenlet child;
  child = Greenlet([&](Greenlet::Value) {
    child = Greenlet();
    Greenlet::Current().parent().Switch(std::string("parting word"));
  });
  EXPECT_EQ(std::any_cast<std::string>(Greenlet(child).Switch(1)), "parting word");
}

TEST(Drop, C10_WhoeverDropsItIsItsParentWhileItUnwinds) {
  Greenlet parent([] {
    for (;;) ToParent();
  });
  parent.Switch();
  Greenlet seen;
  Greenlet child([&] {
    try {
      ToParent();
    } catch (const GreenletExit&) {
      seen = Greenlet::Current().parent();
      throw;
    }
  });
  child.Switch();
  child.set_parent(parent);
  Greenlet dropper([&] {
    child = Greenlet();
    EXPECT_EQ(seen, Greenlet::Current());
  });
  dropper.Switch();
  EXPECT_EQ(seen, dropper);
}

TEST(Drop, C10_OneThatStoresAHandleOfItselfLivesOnUnderItsOwnParent) {
  Greenlet parent([] {
    Greenlet::Value value = ToParent();
    for (;;) value = ToParent(value);
  });
  parent.Switch();
  Greenlet saved;
  Greenlet child([&] {
    try {
      ToParent();
    } catch (const GreenletExit&) {
      saved = Greenlet::Current();
      ToParent();
    }
    return 5;
  });
  child.Switch();
  child.set_parent(parent);
  child = Greenlet();
  ASSERT_TRUE(saved.active());
  EXPECT_EQ(saved.parent(), parent);
  EXPECT_EQ(std::any_cast<int>(saved.Switch()), 5);
  EXPECT_TRUE(saved.dead());
}

TEST(Drop, C10_OneThatIgnoresTheEndIsTriedOnce) {
  int* tries = new int(0);  // outlives the stack that is left behind
  Greenlet child([tries] {
    while (*tries < 100) {
      try {
        ToParent();
      } catch (const GreenletExit&) {
        ++*tries;
      }
    }
  });
  child.Switch();
  child = Greenlet();
  EXPECT_EQ(*tries, 1);
  Greenlet::Current();
  EXPECT_EQ(*tries, 1);
}

TEST(Drop, C10_AnotherExceptionGoesToTheUnraisableHandlerAndNoFurther) {
  std::vector<std::string> heard;
  const UnraisableHandler before =
      SetUnraisableHandler([&](const Greenlet& greenlet, const std::exception_ptr& error) {
        try {
          std::rethrow_exception(error);
        } catch (const std::runtime_error& e) {
          heard.push_back(greenlet.Description() + ": " + e.what());
        }
      });
  EXPECT_FALSE(before);
  Greenlet child = Loud();
  child = Greenlet();
  SetUnraisableHandler({});
  EXPECT_EQ(heard, std::vector<std::string>{"greenlet 'loud', dead: instead"});
}

TEST(Drop, C10_WithoutAHandlerOneLineGoesToStderr) {
  Greenlet child = Loud();
  testing::internal::CaptureStderr();
  child = Greenlet();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "verdant: exception ignored in greenlet 'loud', unwound because nobody refers to it: "
            "instead\n");
}

TEST(Drop, C10_AnUnstartedOneNeverRuns) {
  int ends = 0;
  bool ran = false;
  {
    const Greenlet child([&ran, guard = CountsEnd(ends)] { ran = true; });
  }
  EXPECT_EQ(ends, 1);
  EXPECT_FALSE(ran);
}

TEST(Drop, C10_ThoseThatAnUnwindingDropsUnwindInTurn) {
  std::vector<int> order;
  Greenlet last;
  for (int i = 0; i < 20; ++i) {
    last = Greenlet([&order, i, held = std::move(last)] {
      try {
        ToParent();
      } catch (const GreenletExit&) {
        order.push_back(i);
        throw;
      }
    });
    last.Switch();
  }
  last = Greenlet();
  ASSERT_EQ(order.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], 19 - i);
}

TEST(Drop, C10_OneThatItsOwnSuspendedChildRefersToAsItsParentIsNotUnwound) {
  int ends = 0;
  Greenlet* child = nullptr;
  {
    Greenlet outer([&] {
      const CountsEnd end(ends);
      Greenlet inner([] { ToParent(); });
      child = &inner;
      inner.Switch();
      ToParent();
    });
    outer.Switch();
  }
  EXPECT_EQ(ends, 0);
  // Without that reference it can go.
  child->set_parent(Greenlet::Current());
  EXPECT_EQ(ends, 1);
}

TEST(Shutdown, C17_AStaticHandleMayOutliveTheThreadsOwnObjects) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        static Greenlet late([] {
          struct Say {
            ~Say() { std::fputs("unwound\n", stderr); }
          } say;
          Greenlet::Current().parent().Switch();
        });
        late.Switch();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "unwound");
}

TEST(Shutdown, C17_ExitFromInsideNestedActiveGreenletsEndsTheProcessInOrder) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        static Greenlet outer([] {
          static Greenlet inner([] { std::exit(3); });
          inner.Switch();
        });
        outer.Switch();
      },
      testing::ExitedWithCode(3), "");
}

TEST(Shutdown, C17_StaticDestructorsMayUseEverything) {
  DieInAFreshProcess();
  EXPECT_EXIT(
      {
        struct Late {
          ~Late() {
            SetTrace([](TraceEvent, const Greenlet&, const Greenlet&) {
              std::fputs("traced ", stderr);
            });
            int got = 0;
            Greenlet child([&](int number) {
              got = number;
              ToParent();
            });
            child.Switch(5);
            std::fprintf(stderr, "%d %s; ", got, Greenlet::Current().Description().c_str());
          }
        };
        static Late late;
        Greenlet([] {}).Switch();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "traced traced 5 main greenlet, current; traced traced ");
}

TEST(Shutdown, C17_AThreadLocalHandleUnwindsItsGreenletAtTheThreadsEnd) {
  static int ends;
  ends = 0;
  OnFreshThread([] {
    thread_local Greenlet held;
    held = Greenlet([] {
      const CountsEnd end(ends);
      ToParent();
    });
    held.Switch();
  });
  EXPECT_EQ(ends, 1);
}

TEST(Shutdown, C17_AThreadMayUseGreenletsInTheDestructorOfItsOldestObject) {
  static int got;
  got = 0;
  OnFreshThread([] {
    struct Late {
      ~Late() {
        Greenlet child([] { return 7; });
        got = std::any_cast<int>(child.Switch());
      }
      int touched = 0;
    };
    thread_local Late late;  // made before the thread's main greenlet, destroyed after it
    late.touched = 1;
    Greenlet([] {}).Switch();
  });
  EXPECT_EQ(got, 7);
}

}  // namespace
}  // namespace verdant

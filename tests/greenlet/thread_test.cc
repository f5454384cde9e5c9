#include <any>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "greenlet/greenlet.h"
#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

std::string WhatOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::logic_error& e) {
    return e.what();
  }
  return "";
}

TEST(Threads, C9_EachHasAMainOfItsOwn) {
  const Greenlet main = Greenlet::Current();
  OnFreshThread([&] {
    EXPECT_NE(Greenlet::Current(), main);
    EXPECT_TRUE(Greenlet::Current().active());
    EXPECT_FALSE(Greenlet::Current().parent());
  });
}

TEST(Threads, C9_SwitchAndThrowAcrossThemAreRefused) {
  Greenlet child([](int number) { return number; }, {.name = "mine"});
  const Greenlet main = Greenlet::Current();
  OnFreshThread([&] {
    for (const Greenlet& each : {child, main}) {
      EXPECT_NE(WhatOf([&] { each.Switch(1); }).find("cannot switch to a different thread"),
                std::string::npos);
      EXPECT_NE(WhatOf([&] { each.Throw(); }).find("cannot switch to a different thread"),
                std::string::npos);
    }
    EXPECT_EQ(WhatOf([&] { child.Switch(1); }),
              "Greenlet 'mine': cannot switch to a different thread");
  });
  EXPECT_FALSE(child.started());
  EXPECT_EQ(std::any_cast<int>(child.Switch(1)), 1);
}

TEST(Threads, C9_ThatHaveExitedAreNamedAsSuch) {
  Greenlet unstarted;
  Greenlet suspended;
  Greenlet main;
  OnFreshThread([&] {
    unstarted = Greenlet([] {});
    suspended = Greenlet([] { ToParent(); });
    suspended.Switch();
    main = Greenlet::Current();
  });
  for (const Greenlet& each : {unstarted, suspended, main}) {
    EXPECT_NE(WhatOf([&] { each.Switch(); }).find("(which happens to have exited)"),
              std::string::npos);
    EXPECT_NE(WhatOf([&] { each.Throw(); }).find("(which happens to have exited)"),
              std::string::npos);
  }
  EXPECT_TRUE(main.dead());
  EXPECT_FALSE(main.active());
  EXPECT_TRUE(suspended.active());
  EXPECT_FALSE(unstarted.started());
}

TEST(Threads, C11_OneDroppedElsewhereEndsWhenItsThreadNextUsesGreenlets) {
  const std::vector<std::function<void()>> uses = {
      [] { Greenlet::Current(); },
      [] { Greenlet([] {}); },
      [] { Greenlet::Current().Switch(); },
  };
  for (const auto& use : uses) {
    int ends = 0;
    std::thread::id where;
    auto child = std::make_unique<Greenlet>([&] {
      const CountsEnd end(ends);
      try {
        ToParent();
      } catch (const GreenletExit&) {
        where = std::this_thread::get_id();
        throw;
      }
    });
    child->Switch();
    OnFreshThread([&] { child = nullptr; });
    EXPECT_EQ(ends, 0);
    use();
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(where, std::this_thread::get_id());
  }
}

TEST(Threads, C11_SwitchLooksAfterDroppedOnesFirst) {
  std::vector<std::string> order;
  auto dropped = std::make_unique<Greenlet>([&] {
    try {
      ToParent();
    } catch (const GreenletExit&) {
      order.push_back("dropped");
      throw;
    }
  });
  dropped->Switch();
  Greenlet other([&] {
    order.push_back("started");
    ToParent();
    order.push_back("resumed");
  });
  other.Switch();
  OnFreshThread([&] { dropped = nullptr; });
  other.Switch();
  EXPECT_EQ(order, (std::vector<std::string>{"started", "dropped", "resumed"}));
}

TEST(Threads, C11_SeveralDroppedElsewhereEndInTheOrderOfTheirDropping) {
  std::vector<int> order;
  std::vector<Greenlet> all;
  for (int i = 0; i < 5; ++i) {
    all.emplace_back([&order, i] {
      try {
        ToParent();
      } catch (const GreenletExit&) {
        order.push_back(i);
        throw;
      }
    });
    all.back().Switch();
  }
  OnFreshThread([&] {
    for (const int i : {3, 1, 4, 0, 2}) all[static_cast<std::size_t>(i)] = Greenlet();
  });
  Greenlet::Current();
  EXPECT_EQ(order, (std::vector<int>{3, 1, 4, 0, 2}));
}

TEST(Threads, C11_AnUnstartedOneDroppedElsewhereIsDestroyedByItsOwn) {
  struct Says {
    std::thread::id* where;
    explicit Says(std::thread::id* w) : where(w) {}
    Says(Says&& other) noexcept : where(std::exchange(other.where, nullptr)) {}
    ~Says() {
      if (where != nullptr) *where = std::this_thread::get_id();
    }
  };
  std::thread::id where;
  auto child = std::make_unique<Greenlet>([says = Says(&where)] {});
  OnFreshThread([&] { child = nullptr; });
  EXPECT_EQ(where, std::thread::id());
  Greenlet::Current();
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Threads, C11_ACopyMadeElsewhereKeepsItAlive) {
  int ends = 0;
  Greenlet child([&] {
    const CountsEnd end(ends);
    ToParent();
    return 5;
  });
  child.Switch();
  Greenlet kept;
  OnFreshThread([&] {
    const Greenlet copy = child;
    kept = copy;
    child = Greenlet();
  });
  Greenlet::Current();
  EXPECT_EQ(ends, 0);
  EXPECT_EQ(std::any_cast<int>(kept.Switch()), 5);
  EXPECT_EQ(ends, 1);
}

TEST(Threads, C11_OnesOwnLastHandleAfterCopiesElsewhereUnwindsAtOnce) {
  int ends = 0;
  Greenlet child([&] {
    const CountsEnd end(ends);
    ToParent();
  });
  child.Switch();
  OnFreshThread([&] {
    for (int i = 0; i < 3; ++i) Greenlet copy = child;
  });
  child = Greenlet();
  EXPECT_EQ(ends, 1);
  Greenlet::Current();
  EXPECT_EQ(ends, 1);
}

TEST(Threads, C11_ManyThreadsMayCopyAndDropTheSameHandles) {
  constexpr int kThreads = 4;
  constexpr int kGreenlets = 20;
#if defined(VERDANT_TSAN)
  constexpr int kRounds = 100;
#else
  constexpr int kRounds = 1000;
#endif
  int ends = 0;
  std::vector<Greenlet> all;
  for (int i = 0; i < kGreenlets; ++i) {
    all.emplace_back([&] {
      const CountsEnd end(ends);
      for (;;) ToParent();
    });
    all.back().Switch();
  }
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&running, mine = all] {
      for (int round = 0; round < kRounds; ++round) {
        for (const Greenlet& each : mine) {
          const Greenlet copy = each;
          EXPECT_TRUE(copy.active());
        }
      }
      --running;
    });
  }
  while (running > 0) {
    for (const Greenlet& each : all) each.Switch();
  }
  EXPECT_EQ(ends, 0);
  all.clear();
  for (std::thread& thread : threads) thread.join();
  // The handles that the threads started with went with their closures.
  threads.clear();
  Greenlet::Current();
  EXPECT_EQ(ends, kGreenlets);
}

TEST(Threads, C11_WhatWasDroppedElsewhereEndsAtTheLatestWhenTheThreadDoes) {
  int ends = 0;
  OnFreshThread([&] {
    auto child = std::make_unique<Greenlet>([&] {
      const CountsEnd end(ends);
      ToParent();
    });
    child->Switch();
    OnFreshThread([&] { child = nullptr; });
    EXPECT_EQ(ends, 0);
  });
  EXPECT_EQ(ends, 1);
}

TEST(Threads, C11_AfterItsThreadOneIsAbandonedAndWhatItWasToRunDestroyed) {
  int on_stack = 0;
  int captured = 0;
  Greenlet suspended;
  Greenlet unstarted;
  OnFreshThread([&] {
    suspended = Greenlet([&on_stack, guard = CountsEnd(captured)] {
      const CountsEnd end(on_stack);
      ToParent();
    });
    suspended.Switch();
    unstarted = Greenlet([guard = CountsEnd(captured)] {});
  });
  Greenlet copy = suspended;
  suspended = Greenlet();
  EXPECT_EQ(captured, 0);
  unstarted = Greenlet();
  EXPECT_EQ(captured, 1);
  OnFreshThread([moved = std::move(copy)] {});
  EXPECT_EQ(captured, 2);
  EXPECT_EQ(on_stack, 0);
}

TEST(Threads, C11_AChainOfParentsGoesWithItsLastHandleWherever) {
  constexpr int kLength = 100000;
  int ends = 0;
  Greenlet leaf;
  OnFreshThread([&] {
    Greenlet parent([guard = CountsEnd(ends)] {});
    for (int i = 1; i < kLength; ++i) {
      parent = Greenlet([guard = CountsEnd(ends)] {}, {.parent = &parent});
    }
    leaf = parent;
  });
  EXPECT_EQ(ends, 0);
  leaf = Greenlet();
  EXPECT_EQ(ends, kLength);
}

TEST(Threads, C11_OneThatSurvivesItMayBeDroppedAgain) {
  int tries = 0;
  Greenlet back;
  auto child = std::make_unique<Greenlet>([&] {
    for (;;) {
      try {
        ToParent();
      } catch (const GreenletExit&) {
        // Lives on, and is referred to again.
        if (++tries == 1) back = Greenlet::Current();
        if (tries > 1) throw;
      }
    }
  });
  child->Switch();
  OnFreshThread([&] { child = nullptr; });
  Greenlet::Current();
  EXPECT_EQ(tries, 1);
  EXPECT_TRUE(back.active());
  back = Greenlet();
  EXPECT_EQ(tries, 2);
}

}  // namespace
}  // namespace verdant

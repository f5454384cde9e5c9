#include "greenlet/trace.h"

#include <any>
#include <stdexcept>
#include <string>
#include <vector>

#include "greenlet/greenlet.h"
#include "gtest/gtest.h"
#include "tests/greenlet/greenlet_testing.h"

namespace verdant {
namespace {

// Records what happened as "event origin>target", and switches tracing off at its end.
class Recorder {
 public:
  Recorder() {
    SetTrace([this](TraceEvent event, const Greenlet& origin, const Greenlet& target) {
      EXPECT_EQ(target, Greenlet::Current());
      events.push_back((event == TraceEvent::kSwitch ? "switch " : "throw ") + origin.name() + ">" +
                       target.name());
    });
  }
  ~Recorder() { SetTrace({}); }

  std::vector<std::string> events;
};

TEST(Trace, C13_TellsOfEverySwitchInTheContextOfTheTarget) {
  Recorder recorder;
  Greenlet child([] { ToParent(); }, {.name = "child"});
  child.Switch();
  child.Switch();
  EXPECT_EQ(recorder.events, (std::vector<std::string>{"switch main>child", "switch child>main",
                                                       "switch main>child", "switch child>main"}));
}

TEST(Trace, C13_ExceptionsThrownInOrLeftByAChildAreThrows) {
  Recorder recorder;
  Greenlet child([] { ToParent(); }, {.name = "child"});
  child.Switch();
  EXPECT_THROW(child.Throw(Thrown(5)), int);
  EXPECT_EQ(recorder.events, (std::vector<std::string>{"switch main>child", "switch child>main",
                                                       "throw main>child", "throw child>main"}));
}

TEST(Trace, C13_ArrivalComesBeforeTheTargetGoesOnAndValuesPassThrough) {
  std::vector<std::string> order;
  SetTrace([&](TraceEvent, const Greenlet&, const Greenlet&) { order.push_back("traced"); });
  Greenlet child([&](int number) {
    order.push_back("child");
    return number + 1;
  });
  EXPECT_EQ(std::any_cast<int>(child.Switch(1)), 2);
  order.push_back("main");
  SetTrace({});
  EXPECT_EQ(order, (std::vector<std::string>{"traced", "child", "traced", "main"}));
}

TEST(Trace, C13_WhatATracerThrowsRemovesItAndIsRaisedInTheTarget) {
  std::string caught;
  Greenlet child([&] {
    try {
      ToParent();
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    return 5;
  });
  child.Switch();
  SetTrace([](TraceEvent, const Greenlet&, const Greenlet&) { throw std::runtime_error("trace"); });
  EXPECT_EQ(std::any_cast<int>(child.Switch(1)), 5);
  EXPECT_EQ(caught, "trace");
  EXPECT_FALSE(GetTrace());
}

TEST(Trace, C13_WhatATracerThrowsAtAStartEndsTheGreenletBeforeItsBody) {
  bool ran = false;
  Greenlet child([&] { ran = true; });
  SetTrace([](TraceEvent, const Greenlet&, const Greenlet&) { throw std::runtime_error("trace"); });
  EXPECT_THROW(child.Switch(), std::runtime_error);
  EXPECT_FALSE(ran);
  EXPECT_TRUE(child.dead());
  EXPECT_FALSE(GetTrace());
}

TEST(Trace, C13_WhatATracerThrowsReplacesWhatWasOnItsWay) {
  Greenlet child([]() -> int { throw std::logic_error("the child's"); });
  SetTrace([&](TraceEvent event, const Greenlet&, const Greenlet&) {
    if (event == TraceEvent::kThrow) throw std::runtime_error("trace");
  });
  EXPECT_THROW(child.Switch(), std::runtime_error);
  EXPECT_FALSE(GetTrace());
}

TEST(Trace, C13_IsPerThreadAndSetTraceReturnsTheOneBefore) {
  EXPECT_FALSE(GetTrace());
  Recorder recorder;
  EXPECT_TRUE(GetTrace());
  OnFreshThread([] {
    EXPECT_FALSE(GetTrace());
    Greenlet([] {}).Switch();
  });
  EXPECT_TRUE(recorder.events.empty());
  const Tracer before = SetTrace({});
  ASSERT_TRUE(before);
  Greenlet([] {}, {.name = "silent"}).Switch();
  EXPECT_TRUE(recorder.events.empty());
  before(TraceEvent::kSwitch, Greenlet::Current(), Greenlet::Current());
  EXPECT_EQ(recorder.events, std::vector<std::string>{"switch main>main"});
}

TEST(Trace, C13_WhatTheTracerDoesIsNotTraced) {
  int calls = 0;
  SetTrace([&](TraceEvent, const Greenlet&, const Greenlet&) {
    ++calls;
    EXPECT_EQ(std::any_cast<int>(Greenlet([] { return 3; }).Switch()), 3);
  });
  Greenlet child([](int number) { return number; });
  EXPECT_EQ(std::any_cast<int>(child.Switch(8)), 8);
  SetTrace({});
  EXPECT_EQ(calls, 2);
}

TEST(Trace, C13_MayReplaceItselfWhileItRuns) {
  int first = 0;
  int second = 0;
  SetTrace([&](TraceEvent, const Greenlet&, const Greenlet&) {
    ++first;
    SetTrace([&](TraceEvent, const Greenlet&, const Greenlet&) { ++second; });
  });
  Greenlet([] {}).Switch();
  SetTrace({});
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
}

TEST(Trace, C13_UnwindingIsTracedAndASilentSwitchToOneselfIsNot) {
  Recorder recorder;
  {
    Greenlet child([] { ToParent(); }, {.name = "child"});
    child.Switch();
    recorder.events.clear();
  }
  Greenlet::Current().Switch(1);
  EXPECT_EQ(recorder.events, (std::vector<std::string>{"throw main>child", "switch child>main"}));
}

}  // namespace
}  // namespace verdant

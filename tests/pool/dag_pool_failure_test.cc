// Tasks of a DagPool that fail or are killed.

#include <cstddef>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "pool/dag_errors.h"
#include "pool/dag_pool.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

using Strings = std::vector<std::string>;
using Dag = DagPool<std::string, std::string>;
using Error = PropagateError<std::string>;

std::string ReadAll(const std::string& key, Dag::Values& values) {
  std::string text = key;
  for (auto& [name, value] : values) text += value;
  return text;
}
std::string Fail(const std::string& key, Dag::Values&) { throw std::runtime_error("no " + key); }
std::string Last(const std::string&, Dag::Values&) {
  Sleep(absl::InfiniteDuration());
  return "never";
}

TEST(DagPool, A9_5_AFailureGoesThroughTheGraph) {
  Dag pool;
  pool.SpawnMany({{"b", {"a"}}, {"c", {"b"}}, {"other", {}}}, ReadAll);
  pool.Spawn("a", {}, Fail);
  try {
    static_cast<void>(pool["c"]);
    FAIL();
  } catch (const Error& c) {
    EXPECT_EQ(c.key(), "c");
    EXPECT_EQ(std::string(c.what()).find("the value of 'c' failed: the value of 'b' failed: "
                                         "the value of 'a' failed: "),
              0u)
        << c.what();
    EXPECT_NE(std::string(c.what()).find("no a"), std::string::npos) << c.what();
    try {
      std::rethrow_exception(c.cause());
    } catch (const Error& b) {
      EXPECT_EQ(b.key(), "b");
      try {
        std::rethrow_exception(b.cause());
      } catch (const Error& a) {
        EXPECT_EQ(a.key(), "a");
        EXPECT_THROW(std::rethrow_exception(a.cause()), std::runtime_error);
      }
    }
  }
  EXPECT_EQ(pool["other"], "other");
}

TEST(DagPool, A9_5_EverythingThatReadsAFailedValueThrows) {
  Dag pool;
  pool.Spawn("bad", {}, Fail);
  auto early = Spawn([&] { return pool["bad"]; });
  EXPECT_THROW(early.Wait(), Error);
  EXPECT_THROW(pool["bad"], Error);
  EXPECT_THROW(pool.Get("bad"), Error);
  EXPECT_THROW(pool.Get("bad", absl::ZeroDuration()), Error);
  EXPECT_THROW(pool.Wait({"bad"}), Error);
  EXPECT_THROW(pool.WaitAll(), Error);
  EXPECT_THROW(pool.Items(), Error);
  EXPECT_EQ(pool.Keys(), (Strings{"bad"}));
}

TEST(DagPool, A9_5_ATaskMayHandleTheFailureOfWhatItDependsOnAndReadOn) {
  Dag pool;
  pool.Post("good", "1");
  pool.Spawn("bad", {}, Fail);
  pool.Spawn("x", {"bad", "good"}, [](const std::string&, Dag::Values& values) {
    std::string text;
    for (;;) {
      try {
        auto item = values.Next();
        if (!item) return text;
        text += item->second;
      } catch (const Error& e) {
        text += "!" + e.key();
      }
    }
  });
  EXPECT_EQ(pool["x"], "1!bad");
}

TEST(DagPool, A9_5_WhateverATaskThrowsIsAFailure) {
  Dag pool;
  pool.Spawn("exit", {},
             [](const std::string&, Dag::Values&) -> std::string { throw GreenletExit(); });
  pool.Spawn("timeout", {}, [](const std::string&, Dag::Values&) -> std::string {
    Timeout t(absl::ZeroDuration());
    Sleep(absl::InfiniteDuration());
    return "";
  });
  for (const char* key : {"exit", "timeout"}) EXPECT_THROW(pool[key], Error);
}

TEST(DagPool, A9_4_SuccessesAndFailuresApart) {
  Dag pool;
  pool.SpawnMany({{"a", {}}, {"c", {}}}, ReadAll);
  pool.SpawnMany({{"b", {}}, {"d", {"b"}}}, [](const std::string& key, Dag::Values& values) {
    ReadAll(key, values);
    return Fail(key, values);
  });
  Strings good;
  for (auto& [key, value] : pool.WaitEachSuccess()) good.push_back(key);
  EXPECT_EQ(good, (Strings{"a", "c"}));
  Strings bad;
  for (auto& [key, error] : pool.WaitEachException()) {
    bad.push_back(key);
    EXPECT_THROW(std::rethrow_exception(error), Error);
  }
  EXPECT_EQ(bad, (Strings{"b", "d"}));
  EXPECT_EQ(pool.WaitEachException({"a"}).Next(), std::nullopt);
  EXPECT_EQ(pool.WaitEachSuccess({"b"}).Next(), std::nullopt);
  auto all = pool.WaitEach({"a", "b", "c"});
  EXPECT_EQ(all.Next()->first, "a");
  EXPECT_EQ(all.Next()->first, "c");
  EXPECT_THROW(all.Next(), Error);
  EXPECT_EQ(all.Next(), std::nullopt);
}

TEST(DagPool, A9_3_APostedFailureIsThrownInReadersAsItIs) {
  Dag pool;
  pool.Spawn("x", {"a"}, ReadAll);
  pool.Post("a", Error("elsewhere", std::make_exception_ptr(std::runtime_error("lost"))));
  try {
    static_cast<void>(pool["a"]);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.key(), "elsewhere");
  }
  EXPECT_THROW(pool["x"], Error);
  EXPECT_THROW(pool.Post("a", "1"), Collision);
  pool.Post("a", "1", /*replace=*/true);
  EXPECT_EQ(pool["a"], "1");
}

TEST(DagPool, A9_3_WhatATaskThrowsAfterPostingItsKeyIsDropped) {
  Dag pool;
  pool.Spawn("a", {}, [&](const std::string& key, Dag::Values&) -> std::string {
    pool.Post(key, "1");
    throw std::runtime_error("too late");
  });
  EXPECT_EQ(pool["a"], "1");
  Settle();
  EXPECT_EQ(pool["a"], "1");
  EXPECT_EQ(pool.Running(), 0u);
}

TEST(DagPool, A9_6_KillingAStartedTaskEndsItAndFreesTheKey) {
  Dag pool;
  bool unwound = false;
  pool.Spawn("a", {}, [&](const std::string& key, Dag::Values& values) {
    struct Note {
      bool& flag;
      ~Note() { flag = true; }
    } const note{unwound};
    return Last(key, values);
  });
  pool.Spawn("b", {"a"}, ReadAll);
  Settle();
  pool.Kill("a");
  EXPECT_TRUE(unwound);
  EXPECT_EQ(pool.RunningKeys(), (Strings{"b"}));
  EXPECT_EQ(pool.Keys(), Strings());
  EXPECT_THROW(pool.Kill("a"), std::out_of_range);
  // Who depends on it waits on, and gets the value of whoever comes next.
  pool.Spawn("a", {}, [](const std::string&, Dag::Values&) { return "!"; });
  EXPECT_EQ(pool["b"], "b!");
}

TEST(DagPool, A9_6_KillingATaskThatHasNotStarted) {
  Dag pool;
  pool.Spawn("a", {}, [](const std::string&, Dag::Values&) {
    ADD_FAILURE();
    return "";
  });
  pool.Kill("a");
  EXPECT_EQ(pool.Running(), 0u);
  pool.Post("a", "1");
  Settle();
  EXPECT_EQ(pool["a"], "1");
}

TEST(DagPool, A9_6_KillingATaskThatWaitsForAValue) {
  Dag pool;
  pool.Spawn("b", {"a"}, ReadAll);
  Settle();
  pool.Kill("b");
  pool.Post("a", "1");
  Settle();
  EXPECT_EQ(pool.Keys(), (Strings{"a"}));
  EXPECT_EQ(pool.Running(), 0u);
}

TEST(DagPool, A9_6_KillingWhatIsUnknownOrDoneIsMisuse) {
  Dag pool;
  EXPECT_THROW(pool.Kill("unknown"), std::out_of_range);
  pool.Spawn("a", {"posted"}, ReadAll);
  pool.Post("posted", "1");
  EXPECT_EQ(pool["a"], "a1");
  EXPECT_THROW(pool.Kill("a"), std::out_of_range);
  EXPECT_THROW(pool.Kill("posted"), std::out_of_range);
}

TEST(DagPool, A9_6_TheValueOfAKilledTaskThatLivesOnIsDropped) {
  Dag pool;
  Event<> gate;
  pool.Spawn("a", {}, [&](const std::string&, Dag::Values&) {
    try {
      Sleep(absl::InfiniteDuration());
    } catch (const GreenletExit&) {
      gate.Wait();
    }
    return "from the dead";
  });
  Settle();
  pool.Kill("a");
  pool.Spawn("a", {}, [](const std::string&, Dag::Values&) { return "alive"; });
  gate.Send();
  EXPECT_EQ(pool["a"], "alive");
  Settle();
  EXPECT_EQ(pool["a"], "alive");
}

TEST(DagPool, A9_6_ATaskMayKillItself) {
  Dag pool;
  pool.Spawn("a", {}, [&](const std::string& key, Dag::Values&) {
    pool.Kill(key);
    ADD_FAILURE();
    return "";
  });
  Settle();
  EXPECT_EQ(pool.Running(), 0u);
  EXPECT_EQ(pool.Keys(), Strings());
}

TEST(DagPool, A9_5_ATaskKilledByAnybodyElseIsAFailure) {
  Dag pool;
  AnyGreenThread task;
  pool.Spawn("a", {}, [&](const std::string&, Dag::Values&) {
    task = CurrentGreenThread();
    Sleep(absl::InfiniteDuration());
    return "";
  });
  Settle();
  task.Kill();
  EXPECT_THROW(pool["a"], Error);
}

TEST(DagPool, A9_5_ATaskForWhichThereIsNoStackIsAFailure) {
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN)
  GTEST_SKIP() << "the sanitizer does not let mappings fail";
#endif
  OnFreshThread([] {
    Hub::Configure({.stack_size = std::size_t{1} << 50});
    Dag pool;
    pool.Spawn("a", {}, ReadAll);
    try {
      static_cast<void>(pool["a"]);
      FAIL();
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("its task never ran"), std::string::npos) << e.what();
    }
    EXPECT_EQ(pool.Running(), 0u);
  });
}

TEST(DagPool, A9_4_ADeadlockIsNamed) {
  Dag pool;
  try {
    static_cast<void>(pool["nobody's"]);
    FAIL();
  } catch (const LoopExit& e) {
    EXPECT_NE(std::string(e.what()).find("DagPool"), std::string::npos) << e.what();
  }
}

struct Opaque {
  int number;
  friend bool operator<(const Opaque& a, const Opaque& b) { return a.number < b.number; }
};

TEST(DagPool, A9_5_KeysThatCannotBePrintedWillDo) {
  DagPool<Opaque, int> pool;
  pool.Spawn(Opaque{1}, {}, [](const Opaque&, auto&) -> int { throw std::runtime_error("boom"); });
  try {
    static_cast<void>(pool[Opaque{1}]);
    FAIL();
  } catch (const PropagateError<Opaque>& e) {
    EXPECT_EQ(e.key().number, 1);
    EXPECT_NE(std::string(e.what()).find("(a key)"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace verdant

#include "pool/dag_pool.h"

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/timeout.h"
#include "tests/hub/manual_clock.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

using Strings = std::vector<std::string>;
using Dag = DagPool<std::string, std::string>;
using Map = std::map<std::string, std::string>;

// "key(a,b)" of the values of a and b in the order in which they came.
struct Join {
  std::string operator()(const std::string& key, Dag::Values& values) const {
    std::string text;
    for (auto& [name, value] : values) text += (text.empty() ? "" : ",") + value;
    return key + "(" + text + ")";
  }
};

TEST(DagPool, A9_2_ValuesAreComputedFromThoseTheyDependOn) {
  Dag pool;
  pool.Spawn("d", {"b", "c"}, Join());
  pool.Spawn("b", {"a"}, Join());
  pool.Spawn("c", {"a"}, Join());
  pool.Spawn("a", {}, Join());
  EXPECT_EQ(pool["d"], "d(b(a()),c(a()))");
  EXPECT_EQ(pool.Running(), 0u);
}

TEST(DagPool, A9_2_SpawnManyInTheOrderOfTheKeys) {
  Dag pool;
  Strings started;
  pool.SpawnMany({{"c", {"a", "b"}}, {"a", {}}, {"b", {"a"}}},
                 [&](const std::string& key, Dag::Values& values) {
                   started.push_back(key);
                   return Join()(key, values);
                 });
  EXPECT_EQ(pool.WaitAll(), (Map{{"a", "a()"}, {"b", "b(a())"}, {"c", "c(a(),b(a()))"}}));
  EXPECT_EQ(started, (Strings{"a", "b", "c"}));
}

TEST(DagPool, A9_2_PreloadedValuesAreThereFromTheStart) {
  Dag pool(Map{{"a", "1"}, {"b", "2"}});
  pool.Spawn("c", {"b", "a", "b"}, Join());
  EXPECT_EQ(pool["c"], "c(1,2)");
  EXPECT_EQ(pool.Keys(), (Strings{"a", "b", "c"}));
}

TEST(DagPool, A9_2_ATaskStartsAtOnceAndWaitsOnlyWhereItAsksForWhatIsMissing) {
  Dag pool;
  Strings log;
  pool.Spawn("x", {"a", "b"}, [&](const std::string&, Dag::Values& values) {
    log.push_back("begun");
    while (auto item = values.Next()) log.push_back(item->first + "=" + item->second);
    return std::string("done");
  });
  Settle();
  EXPECT_EQ(log, (Strings{"begun"}));
  EXPECT_EQ(pool.WaitingFor("x"), (std::set<std::string>{"a", "b"}));
  pool.Post("b", "2");
  Settle();
  EXPECT_EQ(log, (Strings{"begun", "b=2"}));
  EXPECT_EQ(pool.WaitingFor("x"), (std::set<std::string>{"a"}));
  pool.Post("a", "1");
  EXPECT_EQ(pool["x"], "done");
  EXPECT_EQ(log, (Strings{"begun", "b=2", "a=1"}));
}

TEST(DagPool, A9_2_ATaskNeedNotReadAllItDependsOn) {
  Dag pool;
  pool.Spawn("x", {"never"}, [](const std::string&, Dag::Values&) { return "early"; });
  EXPECT_EQ(pool["x"], "early");
  EXPECT_EQ(pool.Waiting(), 0u);
}

TEST(DagPool, A9_3_PostGivesValuesFromOutside) {
  Dag pool;
  pool.Spawn("x", {"a"}, Join());
  auto waiter = Spawn([&] { return pool["a"]; });
  Settle();
  pool.Post("a", "posted");
  EXPECT_EQ(waiter.Wait(), "posted");
  EXPECT_EQ(pool["x"], "x(posted)");
}

TEST(DagPool, A9_3_ACollisionIsThrownForEveryKeyThatIsTaken) {
  Dag pool;
  Event<> gate;
  pool.Spawn("running", {}, [&](const std::string&, Dag::Values&) {
    gate.Wait();
    return "value";
  });
  pool.Post("posted", "value");
  for (const char* key : {"running", "posted"}) {
    EXPECT_THROW(pool.Spawn(key, {}, Join()), Collision);
    EXPECT_THROW(pool.Post(key, "other"), Collision);
    EXPECT_THROW(pool.SpawnMany({{"a", {}}, {key, {}}}, Join()), Collision);
  }
  EXPECT_THROW(pool.Post("running", "other", /*replace=*/true), Collision);
  EXPECT_EQ(pool.Keys(), (Strings{"posted"}));
  EXPECT_EQ(pool.RunningKeys(), (Strings{"running"}));
  gate.Send();
  EXPECT_EQ(pool["running"], "value");
  try {
    pool.Post("running", "other");
    FAIL();
  } catch (const Collision& e) {
    EXPECT_STREQ(e.what(), "DagPool::Post: 'running' has a value or a task already");
  }
}

TEST(DagPool, A9_3_AValueCanBeReplaced) {
  Dag pool;
  pool.Post("a", "1");
  auto each = pool.WaitEach({"a", "b"});
  pool.Post("a", "2", /*replace=*/true);
  pool.Post("b", "3", /*replace=*/true);
  EXPECT_EQ(pool["a"], "2");
  EXPECT_EQ(each.Next()->second, "1");
  EXPECT_EQ(each.Next()->second, "3");
  EXPECT_EQ(each.Next(), std::nullopt);
}

TEST(DagPool, A9_3_ATaskMayPostItsOwnKeyAndItsReturnValueIsDropped) {
  Dag pool;
  Event<> gate;
  pool.Spawn("a", {}, [&](const std::string& key, Dag::Values&) {
    pool.Post(key, "early");
    EXPECT_THROW(pool.Post(key, "again"), Collision);
    pool.Post(key, "better", /*replace=*/true);
    gate.Wait();
    return "late";
  });
  EXPECT_EQ(pool["a"], "early");  // what it waited for
  EXPECT_EQ(pool["a"], "better");
  EXPECT_EQ(pool.RunningKeys(), (Strings{"a"}));
  gate.Send();
  Settle();
  EXPECT_EQ(pool["a"], "better");
  EXPECT_EQ(pool.Running(), 0u);
}

TEST(DagPool, A9_4_WaitReturnsWhatWasAskedForKnownYetOrNot) {
  Dag pool;
  pool.Post("a", "1");
  EXPECT_EQ(pool.Wait({"a"}), (Map{{"a", "1"}}));
  EXPECT_EQ(pool.Wait({}), Map());
  auto waiter = Spawn([&] { return pool.Wait({"a", "b", "c"}); });
  Settle();
  pool.Post("c", "3");
  Settle();
  EXPECT_FALSE(waiter.Ready());
  pool.Spawn("b", {}, Join());
  EXPECT_EQ(waiter.Wait(), (Map{{"a", "1"}, {"b", "b()"}, {"c", "3"}}));
}

TEST(DagPool, A9_4_WaitAllIsForWhatIsKnownWhenItIsCalled) {
  Dag pool;
  EXPECT_EQ(pool.WaitAll(), Map());
  pool.Post("a", "1");
  pool.Spawn("b", {"a"}, Join());
  auto waiter = Spawn([&] { return pool.WaitAll(); });
  auto unknown = Spawn([&] { return pool["z"]; });
  Sleep();
  pool.Spawn("later", {"z"}, Join());
  EXPECT_EQ(waiter.Wait(), (Map{{"a", "1"}, {"b", "b(1)"}}));
  unknown.Kill();
  pool.Kill("later");
}

TEST(DagPool, A9_4_WaitEachGivesValuesInTheOrderTheyBecameAvailable) {
  Dag pool;
  std::map<std::string, Event<>> gates;
  for (const char* key : {"a", "b", "c", "d"}) {
    pool.Spawn(key, {}, [&](const std::string& k, Dag::Values&) {
      gates[k].Wait();
      return k;
    });
  }
  Settle();
  gates["c"].Send();
  Settle();
  gates["a"].Send();
  Settle();
  auto each = pool.WaitEach();
  EXPECT_EQ(each.Next()->first, "c");
  gates["d"].Send();
  Settle();
  gates["b"].Send();
  Strings order;
  for (auto& [key, value] : each) order.push_back(key);
  EXPECT_EQ(order, (Strings{"a", "d", "b"}));
}

TEST(DagPool, A9_4_ReadersOfOneWaitEachAreServedInOrderAndAKilledOneLosesNothing) {
  Dag pool;
  auto each = pool.WaitEach({"a", "b", "c"});
  std::vector<std::pair<int, std::string>> got;
  std::vector<AnyGreenThread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.push_back(Spawn([&, i] {
      auto item = each.Next();
      got.emplace_back(i, item ? item->first : "end");
    }));
  }
  Settle();
  pool.Post("b", "2");
  readers[0].Kill();
  pool.Post("a", "1");
  Settle();
  EXPECT_EQ(got, (std::vector<std::pair<int, std::string>>{{1, "b"}, {2, "a"}}));
  pool.Post("c", "3");
  JoinAll(readers);
  EXPECT_EQ(got.back(), (std::pair<int, std::string>{3, "c"}));
  EXPECT_EQ(each.Next(), std::nullopt);
}

TEST(DagPool, A9_4_AllReadersLearnOfTheEnd) {
  Dag pool;
  auto each = pool.WaitEach({"a"});
  int ended = 0;
  std::vector<AnyGreenThread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(Spawn([&] { ended += each.Next() ? 0 : 1; }));
  }
  Settle();
  pool.Post("a", "1");
  JoinAll(readers);
  EXPECT_EQ(ended, 2);
}

TEST(DagPool, A9_4_ATimeoutLosesNothing) {
  WithManualClock([](ManualClock& clock) {
    Dag pool;
    auto each = pool.WaitEach({"a", "b"});
    EXPECT_THROW(each.Next(absl::Seconds(1)), TimeoutExpired);
    EXPECT_THROW(pool.Wait({"a"}, absl::Seconds(1)), TimeoutExpired);
    EXPECT_THROW(pool.Get("a", absl::Seconds(1)), TimeoutExpired);
    EXPECT_FALSE(WithTimeout(absl::Seconds(1), [&] { static_cast<void>(pool["a"]); }));
    EXPECT_EQ(clock.SinceStart(), absl::Seconds(4));
    pool.Post("a", "1");
    EXPECT_EQ(each.Next()->second, "1");
    EXPECT_EQ(pool.WaitAll(absl::ZeroDuration()), (Map{{"a", "1"}}));
    pool.Post("b", "2");
    EXPECT_EQ(each.Next(absl::ZeroDuration())->second, "2");
    EXPECT_EQ(each.Next(), std::nullopt);
  });
}

TEST(DagPool, A9_4_GetLooksWithoutWaiting) {
  Dag pool;
  EXPECT_EQ(pool.Get("a"), std::nullopt);
  pool.Spawn("a", {}, Join());
  EXPECT_EQ(pool.Get("a").value_or("default"), "default");
  Settle();
  EXPECT_EQ(pool.Get("a"), "a()");
}

TEST(DagPool, A9_4_SnapshotsAtEveryStep) {
  Dag pool(Map{{"pre", "0"}});
  Event<> gate;
  pool.Spawn("a", {"pre"}, [&](const std::string&, Dag::Values&) {
    gate.Wait();
    return "1";
  });
  pool.Spawn("b", {"a", "pre"}, Join());
  Settle();
  EXPECT_EQ(pool.Keys(), (Strings{"pre"}));
  EXPECT_EQ(pool.Items(), (Map{{"pre", "0"}}));
  EXPECT_EQ(pool.Running(), 2u);
  EXPECT_EQ(pool.RunningKeys(), (Strings{"a", "b"}));
  EXPECT_EQ(pool.Waiting(), 1u);
  using Missing = std::map<std::string, std::set<std::string>>;
  EXPECT_EQ(pool.WaitingFor(), (Missing{{"b", {"a"}}}));
  EXPECT_EQ(pool.WaitingFor("a"), std::set<std::string>());
  EXPECT_EQ(pool.WaitingFor("pre"), std::set<std::string>());
  EXPECT_THROW(pool.WaitingFor("unknown"), std::out_of_range);
  gate.Send();
  pool.WaitAll();
  EXPECT_EQ(pool.Keys(), (Strings{"a", "b", "pre"}));
  EXPECT_EQ(pool.Running(), 0u);
  EXPECT_EQ(pool.WaitingFor(), Missing());
}

TEST(DagPool, A9_7_WhatNeedsNotWaitDoesNotYield) {
  Dag pool(Map{{"a", "1"}, {"b", "2"}});
  const auto before = Switches();
  pool.Spawn("c", {"a"}, Join());
  pool.Post("d", "4");
  EXPECT_EQ(pool["a"], "1");
  EXPECT_EQ(pool.Get("a", Deadline::Never()), "1");
  EXPECT_EQ(pool.Get("c"), std::nullopt);
  EXPECT_EQ(pool.Wait({"a", "b"}).size(), 2u);
  int count = 0;
  for (auto& [key, value] : pool.WaitEach({"a", "b", "d"})) count += value.empty() ? 0 : 1;
  EXPECT_EQ(count, 3);
  EXPECT_EQ(pool.WaitEachSuccess({"a"}).Next()->second, "1");
  EXPECT_EQ(pool.WaitEachException({"a"}).Next(), std::nullopt);
  EXPECT_EQ(pool.Items().size(), 3u);
  EXPECT_EQ(Switches(), before);
  EXPECT_EQ(pool["c"], "c(1)");
}

TEST(DagPool, TasksOutliveThePool) {
  Event<> gate;
  std::string result;
  auto reader = Spawn([&] {
    Dag::Values values;
    {
      Dag pool;
      pool.Spawn("a", {}, [&](const std::string&, Dag::Values&) {
        gate.Wait();
        return "1";
      });
      pool.Spawn("b", {"a"}, Join());
      values = pool.WaitEach({"b"});
      Sleep();
    }
    result = values.Next()->second;
  });
  Settle();
  gate.Send();
  reader.Wait();
  EXPECT_EQ(result, "b(1)");
}

TEST(DagPool, AThousandTasksInAChainAndAsManyOnOne) {
  DagPool<int, int> pool;
  auto sum = [](int key, DagPool<int, int>::Values& values) {
    int total = key;
    for (auto& [k, value] : values) total += value;
    return total;
  };
  for (int i = 1000; i > 0; --i) pool.Spawn(i, {i - 1}, sum);
  for (int i = 2000; i < 3000; ++i) pool.Spawn(i, {0}, sum);
  Settle();
  EXPECT_EQ(pool.Waiting(), 2000u);
  pool.Post(0, 0);
  EXPECT_EQ(pool[1000], 500500);
  EXPECT_EQ(pool.WaitAll().size(), 2001u);
  EXPECT_EQ(pool[2999], 2999);
}

}  // namespace
}  // namespace verdant

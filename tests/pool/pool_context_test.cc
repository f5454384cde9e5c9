// What a pool's calls inherit: the context of whoever asked for them, and nothing of one another's.

#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "greenlet/context.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/scope.h"
#include "pool/dag_pool.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/group.h"
#include "tests/hub/manual_clock.h"

namespace verdant {
namespace {

const ContextVar<int>& Var() {
  static const ContextVar<int> var("var", 0);
  return var;
}
int GetThenSet() {
  const int before = Var().Get();
  Var().Set(100);
  Sleep();
  return before;
}

TEST(PoolContext, Decision20_MembersInheritTheSpawnersAndSetTheirOwn) {
  const ContextVar<int>::Scope scope(Var(), 1);
  GreenPool pool(2);
  Group group;
  GreenPile<int> pile(pool);
  std::vector<GreenThread<int>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(pool.Spawn(GetThenSet));
    all.push_back(group.Spawn(GetThenSet));
    pile.Spawn(GetThenSet);
  }
  int seen = 0;
  pool.SpawnN([&seen] { seen = GetThenSet(); });
  pool.WaitAll();
  for (auto& one : all) EXPECT_EQ(one.Wait(), 1);
  for (const int value : pile) EXPECT_EQ(value, 1);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(Var().Get(), 1);
}

TEST(PoolContext, Decision20_ACallMadeInlineByAMemberKeepsWhatItSetsToItself) {
  GreenPool pool(1);
  auto member = pool.Spawn([&pool] {
    Var().Set(5);
    EXPECT_EQ(pool.Spawn(GetThenSet).Wait(), 5);
    EXPECT_EQ(Var().Get(), 5);
    int seen = 0;
    pool.SpawnN([&seen] { seen = GetThenSet(); });
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(Var().Get(), 5);
    EXPECT_THROW(pool.Spawn([]() -> int {
                       Var().Set(6);
                       throw 7;
                     })
                     .Wait(),
                 int);
    EXPECT_EQ(Var().Get(), 5);
  });
  member.Wait();
}

TEST(PoolContext, ACallMadeInlineLeavesNoValueBehind) {
  const ContextVar<std::shared_ptr<int>> var("pointer", nullptr);
  const auto value = std::make_shared<int>(1);
  GreenPool pool(1);
  pool.Spawn([&] {
        const ContextVar<std::shared_ptr<int>>::Scope scope(var, value);
        for (int i = 0; i < 10; ++i) pool.Spawn([] {}).Wait();
        for (int i = 0; i < 10; ++i) pool.SpawnN([] {});
      })
      .Wait();
  EXPECT_EQ(value.use_count(), 1);
}

TEST(PoolContext, Decision20_EachCallOfAnImapStartsWithTheCallersWhoeverReads) {
  GreenPool pool(3);
  std::vector<int> input(50);
  std::iota(input.begin(), input.end(), 0);
  const auto call = [](int i) {
    const int before = Var().Get();
    Var().Set(1000 + i);
    if (i % 3 == 0) Sleep();
    return before;
  };
  const ContextVar<int>::Scope scope(Var(), 1);
  auto results = pool.Imap(call, input);
  auto reader = [&results] {
    Var().Set(2);
    for (int i = 0; i < 25; ++i) {
      EXPECT_EQ(results.Next(), 1);
      EXPECT_EQ(Var().Get(), 2);
    }
  };
  Spawn(reader).Wait();
  const ContextVar<int>::Scope later(Var(), 3);
  for (int i = 0; i < 25; ++i) EXPECT_EQ(results.Next(), 1);
  EXPECT_EQ(results.Next(), std::nullopt);
}

TEST(PoolContext, Decision20_AnImapWithoutAnyValueStartsEachCallWithout) {
  GreenPool pool(2);
  const std::vector<int> input(20);
  for (const int before : pool.Imap(
           [](int) {
             const int value = Var().Get();
             Var().Set(9);
             return value;
           },
           input)) {
    EXPECT_EQ(before, 0);
  }
}

TEST(PoolContext, Decision20_TasksOfADagPoolInheritTheirSpawners) {
  const ContextVar<int>::Scope scope(Var(), 4);
  DagPool<int, int> pool;
  pool.Spawn(1, {2}, [](const int&, const auto&) { return GetThenSet(); });
  {
    const ContextVar<int>::Scope inner(Var(), 6);
    pool.Spawn(2, {}, [](const int&, const auto&) { return GetThenSet(); });
  }
  EXPECT_EQ(pool[2], 6);
  EXPECT_EQ(pool[1], 4);
}

TEST(PoolContext, AScopesDeadlineIsInheritedByAllOfThem) {
  WithManualClock([](ManualClock&) {
    GreenPool pool(2);
    Group group;
    const auto left = [](int) { return CurrentDeadline().Remaining(); };
    WithScope(
        [&](Scope&) {
          EXPECT_EQ(pool.Spawn(left, 0).Wait(), absl::Seconds(7));
          EXPECT_EQ(group.Spawn(left, 0).Wait(), absl::Seconds(7));
          for (const absl::Duration d : pool.Imap(left, std::vector<int>{1, 2, 3})) {
            EXPECT_EQ(d, absl::Seconds(7));
          }
          EXPECT_EQ(SpawnAfter(absl::Seconds(2), left, 0).Wait(), absl::Seconds(5));
        },
        {.deadline = absl::Seconds(7)});
  });
}

}  // namespace
}  // namespace verdant

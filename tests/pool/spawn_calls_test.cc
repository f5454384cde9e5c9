// What all that spawn have in common: what they refuse, what they tell of the place, and whom.

#include "hub/spawn_calls.h"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "hub/spawn_callback.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/group.h"
#include "pool/thread_pool.h"
#include "pool/tpool.h"

namespace verdant {
namespace {

using Function = std::function<int()>;
using FunctionOfOne = std::function<int(int)>;
using Pointer = int (*)();

template <typename Call>
void ExpectRefused(Call call, const char* what) {
  EXPECT_THROW(call(), std::logic_error) << what;
}
#define REFUSES(call) ExpectRefused([&] { static_cast<void>(call); }, #call)

const std::vector<int> kOne = {1};
const std::vector<std::pair<int, int>> kPairs = {{1, 2}};

TEST(SpawnCalls, B1_4_AGreenPoolRefusesEmptyFunctionsAndTakesNoSlot) {
  GreenPool pool(2);
  REFUSES(pool.Spawn(Function()));
  REFUSES(pool.Spawn(Pointer(nullptr)));
  REFUSES(pool.Spawn(FunctionOfOne(), 1));
  REFUSES(pool.SpawnN(Function()));
  REFUSES(pool.SpawnN(FunctionOfOne(), 1));
  REFUSES(pool.Imap(FunctionOfOne(), kOne));
  REFUSES(pool.ImapUnordered(FunctionOfOne(), kOne));
  REFUSES(pool.Imap({.maxsize = 1}, FunctionOfOne(), kOne));
  REFUSES(pool.Starmap(std::function<int(int, int)>(), kPairs));
  REFUSES(pool.Map(FunctionOfOne(), kOne));
  REFUSES(pool.MapAsync(FunctionOfOne(), kOne));
  EXPECT_EQ(pool.Free(), 2);
  EXPECT_EQ(pool.Running(), 0u);
  EXPECT_TRUE(pool.WaitAll());
}

TEST(SpawnCalls, B1_4_AFullPoolRefusesThemToAMemberAndWaitsForNoSlot) {
  GreenPool pool(1);
  pool.Spawn([&] {
        REFUSES(pool.Spawn(Function()));
        REFUSES(pool.SpawnN(FunctionOfOne(), 1));
      })
      .Wait();
  auto holder = pool.Spawn([] { Sleep(absl::InfiniteDuration()); });
  REFUSES(pool.Spawn(Function()));
  EXPECT_EQ(pool.Waiting(), 0u);
  holder.KillAndJoin();
  EXPECT_EQ(pool.Free(), 1);
}

TEST(SpawnCalls, B1_4_AGreenPileRefusesEmptyFunctionsAndKeepsNothingOfThem) {
  GreenPool pool(2);
  GreenPile<int> pile(pool);
  REFUSES(pile.Spawn(Function()));
  REFUSES(pile.Spawn(Pointer(nullptr)));
  REFUSES(pile.Spawn(FunctionOfOne(), 1));
  EXPECT_EQ(pool.Free(), 2);
  EXPECT_EQ(pile.Next(), std::nullopt);
}

TEST(SpawnCalls, B1_4_AGroupRefusesEmptyFunctionsAndTakesNoRoom) {
  Group group(2);
  REFUSES(group.Spawn(Function()));
  REFUSES(group.Spawn(Pointer(nullptr)));
  REFUSES(group.Spawn(FunctionOfOne(), 1));
  REFUSES(group.SpawnN(Function()));
  REFUSES(group.SpawnBy(absl::ZeroDuration(), Function()));
  REFUSES(group.Apply(Function()));
  REFUSES(group.Apply(FunctionOfOne(), 1));
  REFUSES(group.ApplyAsync(Function()));
  REFUSES(group.Imap(FunctionOfOne(), kOne));
  EXPECT_EQ(group.FreeCount(), 2);
  EXPECT_TRUE(group.empty());
  group.Spawn([&] { REFUSES(group.Apply(Function())); }).Wait();
  auto first = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  auto second = group.Spawn([] { Sleep(absl::InfiniteDuration()); });
  REFUSES(group.ApplyAsync(Function()));
  EXPECT_TRUE(group.Kill());
}

TEST(SpawnCalls, B1_4_AThreadPoolRefusesEmptyFunctionsAndTakesNoRoom) {
  ThreadPool pool(2);
  REFUSES(pool.Spawn(Function()));
  REFUSES(pool.Spawn(Pointer(nullptr)));
  REFUSES(pool.SpawnN(FunctionOfOne(), 1));
  REFUSES(pool.Apply(Function()));
  REFUSES(pool.Apply(Pointer(nullptr)));
  REFUSES(pool.Imap(FunctionOfOne(), kOne));
  REFUSES(pool.Map(FunctionOfOne(), kOne));
  REFUSES(tpool::Execute(Function()));
  EXPECT_EQ(pool.Pending(), 0u);
  EXPECT_EQ(pool.size(), 0) << "not even a thread";
  pool.Apply([] { EXPECT_THROW(tpool::Execute(Pointer(nullptr)), std::logic_error); });
}

}  // namespace
}  // namespace verdant

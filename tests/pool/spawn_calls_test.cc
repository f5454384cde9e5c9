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

// Where what is spawned from now on says that it was.
class Sites {
 public:
  Sites()
      : callback_(AddSpawnCallback(
            [this](const AnyGreenThread& thread) { sites_.push_back(thread.SpawnSite()); })) {}
  Sites(const Sites&) = delete;
  Sites& operator=(const Sites&) = delete;
  ~Sites() { RemoveSpawnCallback(callback_); }

  // That something was spawned since it was last asked, all of it at that line of this file.
  void Expect(unsigned line, const char* what) {
    EXPECT_FALSE(sites_.empty()) << what;
    for (const SourceLocation& site : sites_) {
      EXPECT_EQ(site.line(), line) << what;
      EXPECT_EQ(std::string_view(site.file_name()), __FILE__) << what;
    }
    sites_.clear();
  }

 private:
  std::vector<SourceLocation> sites_;
  const std::uint64_t callback_;
};
#define SAYS_WHERE(call)           \
  do {                             \
    static_cast<void>(call);       \
    sites.Expect(__LINE__, #call); \
  } while (false)

int Sum() { return 0; }
int SumOf1(int a) { return a; }
int SumOf2(int a, int b) { return a + b; }
int SumOf3(int a, int b, int c) { return a + b + c; }
int SumOf4(int a, int b, int c, int d) { return a + b + c + d; }

template <typename Pool>
void ExpectSitesOfSpawns(Pool& pool) {
  Sites sites;
  SAYS_WHERE(pool.Spawn(Sum));
  SAYS_WHERE(pool.Spawn(SumOf1, 1));
  SAYS_WHERE(pool.Spawn(SumOf2, 1, 2));
  SAYS_WHERE(pool.Spawn(SumOf3, 1, 2, 3));
  SAYS_WHERE(pool.Spawn(SumOf4, 1, 2, 3, 4));
  SAYS_WHERE(pool.SpawnBy(absl::ZeroDuration(), Sum));
  SAYS_WHERE(pool.SpawnBy(absl::ZeroDuration(), SumOf1, 1));
  SAYS_WHERE(pool.SpawnBy(absl::ZeroDuration(), SumOf2, 1, 2));
  SAYS_WHERE(pool.SpawnBy(absl::ZeroDuration(), SumOf3, 1, 2, 3));
}

template <typename Pool>
void ExpectSitesOfSpawnNs(Pool& pool) {
  Sites sites;
  SAYS_WHERE(pool.SpawnN(Sum));
  SAYS_WHERE(pool.SpawnN(SumOf1, 1));
  SAYS_WHERE(pool.SpawnN(SumOf2, 1, 2));
  SAYS_WHERE(pool.SpawnN(SumOf3, 1, 2, 3));
  SAYS_WHERE(pool.SpawnN(SumOf4, 1, 2, 3, 4));
}

template <typename Pool>
void ExpectSitesOfMaps(Pool& pool) {
  Sites sites;
  const std::vector<int> in = {1, 2, 3};
  SAYS_WHERE(pool.Imap(SumOf1, in));
  SAYS_WHERE(pool.Imap(SumOf2, in, in));
  SAYS_WHERE(pool.Imap(SumOf3, in, in, in));
  SAYS_WHERE(pool.Imap({.maxsize = 2}, SumOf1, in));
  SAYS_WHERE(pool.Imap({.maxsize = 2}, SumOf4, in, in, in, in));
  SAYS_WHERE(pool.ImapUnordered(SumOf1, in));
  SAYS_WHERE(pool.ImapUnordered(SumOf2, in, in));
  SAYS_WHERE(pool.ImapUnordered(SumOf3, in, in, in));
  SAYS_WHERE(pool.ImapUnordered({.maxsize = 2}, SumOf2, in, in));
  SAYS_WHERE(pool.Starmap(SumOf2, kPairs));
  SAYS_WHERE(pool.MapAsync(SumOf1, in).Wait());
  SAYS_WHERE(pool.MapAsync(SumOf1, in, [](const std::vector<int>&) {}).Wait());
}
template <typename Pool>
void ExpectSitesOfMap(Pool& pool) {
  Sites sites;
  const std::vector<int> in = {1, 2, 3};
  SAYS_WHERE(pool.Map(SumOf1, in));
  SAYS_WHERE(pool.Map(SumOf2, in, in));
  SAYS_WHERE(pool.Map(SumOf3, in, in, in));
}

TEST(SpawnCalls, B1_11_B1_12_AGreenPoolSaysWhereAndIsHeard) {
  GreenPool pool(99);
  ExpectSitesOfSpawns(pool);
  ExpectSitesOfSpawnNs(pool);
  ExpectSitesOfMaps(pool);
  ExpectSitesOfMap(pool);
  Sites sites;
  SAYS_WHERE(pool.SpawnNBy(absl::ZeroDuration(), Sum));
  SAYS_WHERE(pool.SpawnNBy(absl::ZeroDuration(), SumOf3, 1, 2, 3));
  pool.WaitAll();
}

TEST(SpawnCalls, B1_11_B1_12_AGreenPileSaysWhereAndIsHeard) {
  GreenPile<int> pile(99);
  ExpectSitesOfSpawns(pile);
  for (int sum : {0, 1, 3, 6, 10, 0, 1, 3, 6}) EXPECT_EQ(pile.Next(), sum);
}

TEST(SpawnCalls, B1_11_B1_12_AGroupSaysWhereAndIsHeard) {
  Group group(99);
  ExpectSitesOfSpawns(group);
  ExpectSitesOfSpawnNs(group);
  ExpectSitesOfMaps(group);
  ExpectSitesOfMap(group);
  Sites sites;
  SAYS_WHERE(group.Apply(Sum));
  SAYS_WHERE(group.Apply(SumOf1, 1));
  SAYS_WHERE(group.Apply(SumOf2, 1, 2));
  SAYS_WHERE(group.Apply(SumOf3, 1, 2, 3));
  SAYS_WHERE(group.Apply(SumOf4, 1, 2, 3, 4));
  SAYS_WHERE(group.ApplyAsync(Sum).Wait());
  SAYS_WHERE(group.ApplyAsync(Sum, [](int) {}).Wait());
  group.Join();
}

TEST(SpawnCalls, B1_11_B1_12_AThreadPoolSaysWhereAndIsHeard) {
  ThreadPool pool(99);
  ExpectSitesOfSpawns(pool);
  ExpectSitesOfSpawnNs(pool);
  ExpectSitesOfMaps(pool);
  ExpectSitesOfMap(pool);
  pool.Join();
}

TEST(SpawnCalls, B1_12_ACallMadeInlineIsNotAnnounced) {
  GreenPool pool(1);
  pool.Spawn([&] {
        int heard = 0;
        const std::uint64_t callback = AddSpawnCallback([&](const AnyGreenThread&) { ++heard; });
        EXPECT_TRUE(pool.Spawn(Sum).Ready());
        pool.SpawnN(Sum);
        EXPECT_EQ(heard, 0);
        RemoveSpawnCallback(callback);
      })
      .Wait();
}

}  // namespace
}  // namespace verdant

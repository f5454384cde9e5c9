#include "pool/token_pool.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

static_assert(!std::is_default_constructible_v<Token>);
static_assert(!std::is_copy_constructible_v<Token>);

TEST(TokenPool, A4_5_LimitsHowManyDoSomethingAtATime) {
  TokenPool pool(3);
  int inside = 0;
  int most = 0;
  std::vector<AnyGreenThread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.push_back(Spawn([&] {
      auto token = pool.Item();
      most = std::max(most, ++inside);
      Sleep();
      --inside;
    }));
  }
  Sleep();
  EXPECT_EQ(pool.Free(), 0);
  EXPECT_EQ(pool.Waiting(), 7u);
  JoinAll(threads);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(pool.Free(), 3);
}

TEST(TokenPool, A4_5_ATokenTakenByOneMayBePutBackByAnother) {
  TokenPool pool;
  EXPECT_EQ(pool.max_size(), 4u);
  auto taker = Spawn([&] { return *pool.Get(); });
  Token token = std::move(taker).Wait();
  EXPECT_EQ(pool.Free(), 3);
  pool.Put(std::move(token));
  EXPECT_EQ(pool.Free(), 4);
}

}  // namespace
}  // namespace verdant

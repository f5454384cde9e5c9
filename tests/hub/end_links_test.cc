#include "hub/internal/end_links.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/internal/number_pool.h"

namespace verdant::internal {
namespace {

TEST(EndLinks, B1_8_KeepTheirOrderWhateverIsRemoved) {
  EndLinks links;
  std::vector<int> order;
  std::vector<std::uint64_t> ids;
  EXPECT_TRUE(links.empty());
  for (int i = 0; i < 10; ++i) ids.push_back(links.Add([&order, i] { order.push_back(i); }, false));
  for (const std::size_t i : {9, 0, 4, 5, 3, 8, 7}) {
    EXPECT_TRUE(links.Remove(ids[i]));
    EXPECT_FALSE(links.Remove(ids[i]));
    EXPECT_FALSE(links.empty());
  }
  EXPECT_FALSE(links.Remove(0));
  EXPECT_FALSE(links.Remove(ids.back() + 1));
  EXPECT_GT(links.Add([&order] { order.push_back(10); }, false), ids.back());
  EXPECT_FALSE(links.running());
  for (EndLink link = links.Next(); link.call != nullptr; link = links.Next()) link.call();
  EXPECT_TRUE(links.running());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 6, 10}));
  EXPECT_TRUE(links.empty());
  links.Finish();
  EXPECT_FALSE(links.running());
}

TEST(EndLinks, ManyAddedAndRemovedLeaveNothing) {
  EndLinks links;
  const std::uint64_t kept = links.Add([] {}, false);
  auto token = std::make_shared<int>();
  for (int i = 0; i < 100000; ++i) EXPECT_TRUE(links.Remove(links.Add([token] {}, false)));
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(links.empty());
  EXPECT_TRUE(links.Remove(kept));
  EXPECT_TRUE(links.empty());
}

TEST(EndLinks, OneWhoseEndComesBackFindsThemInOrder) {
  EndLinks links;
  std::uint64_t other = 0;
  struct Remover {
    EndLinks* links;
    std::uint64_t* other;
    Remover(EndLinks* l, std::uint64_t* o) : links(l), other(o) {}
    Remover(Remover&& from) noexcept
        : links(std::exchange(from.links, nullptr)), other(from.other) {}
    ~Remover() {
      if (links == nullptr) return;
      EXPECT_TRUE(links->Remove(*other));
    }
    void operator()() {}
  };
  const std::uint64_t remover = links.Add(Remover(&links, &other), false);
  other = links.Add([] {}, false);
  EXPECT_TRUE(links.Remove(remover));
  EXPECT_TRUE(links.empty());
}

TEST(NumberPool, B1_10_GivesTheSmallestFreeNumber) {
  NumberPool pool;
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(pool.Take(), i);
  pool.Give(3);
  pool.Give(1);
  EXPECT_EQ(pool.Take(), 1u);
  EXPECT_EQ(pool.Take(), 3u);
  EXPECT_EQ(pool.Take(), 5u);
}

}  // namespace
}  // namespace verdant::internal

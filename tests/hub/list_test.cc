#include "hub/internal/list.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

struct Item : ListNode {
  explicit Item(int v) : value(v) {}
  int value;
};

std::vector<int> Values(List<Item>& list) {
  std::vector<int> values;
  for (Item* item = list.front(); item != nullptr; item = list.next(item))
    values.push_back(item->value);
  return values;
}

TEST(List, KeepsTheOrderOfPushesAtBothEnds) {
  List<Item> list;
  Item a(1), b(2), c(3);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.PopFront(), nullptr);
  list.PushBack(&b);
  list.PushBack(&c);
  list.PushFront(&a);
  EXPECT_EQ(Values(list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(list.PopFront(), &a);
  EXPECT_FALSE(a.linked());
  EXPECT_EQ(Values(list), (std::vector<int>{2, 3}));
}

TEST(List, AnElementLeavesFromAnywhereAndTwiceDoesNotMatter) {
  List<Item> list;
  Item a(1), b(2), c(3);
  for (Item* item : {&a, &b, &c}) list.PushBack(item);
  b.Unlink();
  b.Unlink();
  EXPECT_EQ(Values(list), (std::vector<int>{1, 3}));
  list.PushBack(&b);
  EXPECT_EQ(Values(list), (std::vector<int>{1, 3, 2}));
}

TEST(List, ADestroyedElementLeavesNoTrace) {
  List<Item> list;
  Item a(1);
  list.PushBack(&a);
  {
    Item b(2);
    list.PushBack(&b);
  }
  EXPECT_EQ(Values(list), std::vector<int>{1});
}

TEST(List, ADestroyedListLetsItsElementsGo) {
  Item a(1);
  {
    List<Item> list;
    list.PushBack(&a);
    EXPECT_TRUE(a.linked());
  }
  EXPECT_FALSE(a.linked());
  List<Item> other;
  other.PushBack(&a);
  EXPECT_EQ(Values(other), std::vector<int>{1});
}

TEST(List, AppendMovesEverythingBehindWhatIsThere) {
  List<Item> first, second;
  Item a(1), b(2), c(3), d(4);
  first.PushBack(&a);
  second.PushBack(&b);
  second.PushBack(&c);
  first.Append(second);
  EXPECT_TRUE(second.empty());
  first.Append(second);
  first.PushBack(&d);
  EXPECT_EQ(Values(first), (std::vector<int>{1, 2, 3, 4}));
  List<Item> third;
  third.Append(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(Values(third), (std::vector<int>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace verdant::internal

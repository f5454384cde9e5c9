#include "hub/internal/task.h"

#include <array>
#include <cstddef>
#include <exception>
#include <string>

#include "greenlet/internal/sanitizer.h"
#include "gtest/gtest.h"
#include "hub/green_thread.h"

namespace verdant::internal {
namespace {

// A green thread that waits is a page of stack and this.
// What a switch touches: the beginning of its fiber.
static_assert(offsetof(Fiber, stack) + sizeof(Stack) <= Fiber::kLine);
static_assert(alignof(Task) == Fiber::kLine);

TEST(Task, WithAClosureOfTwoPointersIsFourLinesOfCache) {
  constexpr std::size_t kLine = 64;
  struct Closure {
    void operator()() {}
    std::array<void*, 2> captured;
  };
#if defined(VERDANT_ASAN) || defined(VERDANT_TSAN) || defined(VERDANT_VALGRIND)
  GTEST_SKIP() << "it has members of its own for these tools";
#endif
  EXPECT_EQ(sizeof(BodyTask<ResultTask<void>, Closure>), 4 * kLine);
}

TEST(Task, KeepsNoErrorUnlessItFailed) {
  auto fine = Spawn([] { return 1; });
  auto failed = Spawn([]() -> int { throw std::string("broken"); });
  fine.Join();
  failed.Join();
  EXPECT_EQ(fine.Error(), nullptr);
  EXPECT_TRUE(fine.Successful());
  EXPECT_FALSE(failed.Successful());
  EXPECT_THROW(std::rethrow_exception(failed.Error()), std::string);
}

TEST(Task, ItsNameIsACopyThatCanBeReplaced) {
  auto thread = Spawn([] {});
  std::string name = "first";
  thread.SetName(name);
  name = "other";
  EXPECT_EQ(thread.Name(), "first");
  thread.SetName("second and longer than the first");
  EXPECT_EQ(thread.Name(), "second and longer than the first");
  thread.Wait();
  EXPECT_EQ(thread.Name(), "second and longer than the first");
}

}  // namespace
}  // namespace verdant::internal

#include "hub/dummy_semaphore.h"

#include "gtest/gtest.h"
#include "hub/semaphore.h"

namespace verdant {
namespace {

TEST(DummySemaphore, B6_4_AlwaysHasOneAndNeverWaits) {
  DummySemaphore semaphore;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(semaphore.Acquire());
    EXPECT_TRUE(semaphore.TryAcquire());
    EXPECT_EQ(semaphore.Wait(), 1);
  }
  EXPECT_TRUE(semaphore.Ready());
  EXPECT_FALSE(semaphore.locked());
  EXPECT_EQ(semaphore.count(), 1);
  EXPECT_EQ(semaphore.balance(), 1);
  EXPECT_EQ(semaphore.waiting(), 0u);
  const SemaphoreLock fits(semaphore);
}

}  // namespace
}  // namespace verdant

#include "hub/internal/trace_ring.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace verdant::internal {
namespace {

TEST(TraceRing, KeepsTheLastOnesInOrder) {
  TraceRing ring(64, 0);
  std::vector<TraceRecord> copy(ring.capacity());
  EXPECT_EQ(ring.CopyTo(copy.data()).count, 0u);
  for (std::uint64_t i = 0; i < 50; ++i) ring.Push(i, 0, 0, 0);
  EXPECT_EQ(ring.CopyTo(copy.data()).count, 50u);
  for (std::uint64_t i = 50; i < 200; ++i) ring.Push(i, 0, 0, 0);
  const TraceRing::Copied copied = ring.CopyTo(copy.data());
  // All but the one that might be being overwritten.
  ASSERT_EQ(copied.count, 63u);
  for (std::uint64_t i = 0; i < copied.count; ++i) EXPECT_EQ(copied.records[i].words[0], 137 + i);
}

TEST(TraceRing, WhatIsReadMeanwhileIsWhole) {
  TraceRing ring(64, 0);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; !done.load(std::memory_order_relaxed); ++i) ring.Push(i, i, i, i);
  });
  std::vector<TraceRecord> copy(ring.capacity());
  while (ring.position() < 1000) std::this_thread::yield();
  for (int round = 0; round < 2000; ++round) {
    const TraceRing::Copied copied = ring.CopyTo(copy.data());
    for (std::size_t i = 0; i < copied.count; ++i) {
      const auto& words = copied.records[i].words;
      ASSERT_EQ(words[0], words[3]);
      ASSERT_EQ(words[1], words[2]);
      ASSERT_EQ(words[0], words[1]);
      ASSERT_EQ(words[0], copied.records[0].words[0] + i);
    }
  }
  done = true;
  writer.join();
}

TEST(TraceClock, TicksAreNanosecondsSinceItWasMade) {
  const TraceClock clock;
  const std::uint64_t first = clock.Ticks();
  std::uint64_t later = first;
  while (later == first) later = clock.Ticks();
  const TraceClock::Scale scale = clock.Calibrate();
  EXPECT_GE(scale.Nanos(first), 0);
  EXPECT_GE(scale.Nanos(later), scale.Nanos(first));
  EXPECT_EQ(scale.Nanos(0), 0);
}

TEST(TraceLog, GivesEachHubARingAndRefusesTooMany) {
  TraceLog log(1);
  TraceRing* ring = log.RingOf(7);
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(log.RingOf(7), ring);
  EXPECT_EQ(ring->capacity(), 64u);
  for (std::uint64_t hub = 100; hub < 100 + TraceLog::kMostRings - 1; ++hub)
    EXPECT_NE(log.RingOf(hub), nullptr);
  EXPECT_EQ(log.RingOf(1000), nullptr);
  EXPECT_EQ(log.RingOf(7), ring);
}

}  // namespace
}  // namespace verdant::internal

// What belongs to one thread's green threads and is used from another: refused, and nothing that
// waits is lost by it.

#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "pool/internal/crowd.h"
#include "pool/internal/line.h"
#include "pool/queue.h"
#include "pool/queue_order.h"
#include "pool/resource_pool.h"
#include "tests/pool/settle.h"

namespace verdant {
namespace {

#ifdef NDEBUG
constexpr bool kAssertions = false;
#else
constexpr bool kAssertions = true;
#endif

template <typename Call>
void ExpectRefusedElsewhere(Call call) {
  std::thread([&] { EXPECT_THROW(call(), std::logic_error); }).join();
}

TEST(ForeignThread, A5_1_APutElsewhereTakesNothingFromTheGetterThatWaits) {
  Queue<int> queue(kUnbounded);
  auto getter = Spawn([&] { return queue.Get(); });
  Settle();
  ExpectRefusedElsewhere([&] { queue.Put(1); });
  EXPECT_EQ(queue.getting(), 1u);
  queue.Put(2);
  // Without assertions it is noticed when 1 is in the queue already.
  EXPECT_EQ(getter.Wait(absl::Seconds(10)) + queue.TryGet().value_or(0), kAssertions ? 2 : 3);
}

template <typename Q>
void ExpectRareCallsRefusedElsewhere(Q& queue) {
  ExpectRefusedElsewhere([&] { queue.Resize(7); });
  ExpectRefusedElsewhere([&] { queue.Join(); });
  ExpectRefusedElsewhere([&] { queue.Close(); });
  ExpectRefusedElsewhere([&] { queue.CloseNow(); });
  EXPECT_FALSE(queue.closed());
}

template <typename Q>
void ExpectAllRefusedElsewhere(Q& queue) {
  ExpectRareCallsRefusedElsewhere(queue);
  if (!kAssertions) return;
  const auto size = queue.size();
  ExpectRefusedElsewhere([&] { queue.Put(1); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.Put(1, absl::ZeroDuration())); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.TryPut(1)); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.Get()); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.Get(absl::ZeroDuration())); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.TryGet()); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.Peek()); });
  ExpectRefusedElsewhere([&] { static_cast<void>(queue.TryPeek()); });
  ExpectRefusedElsewhere([&] { queue.TaskDone(); });
  EXPECT_EQ(queue.size(), size);
}

TEST(ForeignThread, A5_1_QueuesOfEveryKindSayThatTheyBelongToAnotherThread) {
  Queue<int> queue(2, {5});
  LifoQueue<int> lifo(kUnbounded, {5});
  PriorityQueue<int> priority(2, {5});
  Channel<int> channel;
  ExpectAllRefusedElsewhere(queue);
  ExpectAllRefusedElsewhere(lifo);
  ExpectAllRefusedElsewhere(priority);
  ExpectAllRefusedElsewhere(channel);
}

TEST(ForeignThread, A4_1_AResourcePoolSaysThatItBelongsToAnotherThread) {
  ResourcePool<int> pool([] { return 1; }, {.max_size = 1});
  ASSERT_TRUE(pool.Get().ok());
  auto getter = Spawn([&] { return *pool.Get(); });
  Settle();
  ExpectRefusedElsewhere([&] { static_cast<void>(pool.Get()); });
  ExpectRefusedElsewhere([&] { pool.Put(2); });
  ExpectRefusedElsewhere([&] { pool.Forget(); });
  ExpectRefusedElsewhere([&] { pool.Resize(2); });
  EXPECT_EQ(pool.Waiting(), 1u);
  EXPECT_EQ(pool.size(), 1u);
  pool.Put(3);
  EXPECT_EQ(getter.Wait(absl::Seconds(10)), 3);
}

TEST(ForeignThread, ALineThatIsCalledElsewhereCallsAgainAtHome) {
  internal::Line line("a line");
  auto waiter = Spawn([&] {
    internal::Line::Place place(line, Hub::Current().CurrentTask());
    while (!place.called()) place.Wait(absl::Seconds(10));
    return true;
  });
  Settle();
  ExpectRefusedElsewhere([&] { line.CallUpTo(1); });
  EXPECT_EQ(line.waiting(), 1u);
  EXPECT_EQ(line.called(), 0u);
  line.CallUpTo(1);
  EXPECT_TRUE(waiter.Wait());
}

TEST(ForeignThread, ACrowdThatIsWokenElsewhereWakesAtHome) {
  internal::Crowd crowd;
  auto waiter = Spawn([&] { return crowd.Wait({"a crowd"}, absl::Seconds(10)); });
  Settle();
  ExpectRefusedElsewhere([&] { crowd.WakeAll(); });
  crowd.WakeAll();
  Settle();
  ASSERT_TRUE(waiter.Ready());
  EXPECT_TRUE(waiter.Wait());
}

}  // namespace
}  // namespace verdant

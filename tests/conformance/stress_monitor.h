#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_MONITOR_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_MONITOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hub/clock.h"
#include "hub/condition.h"
#include "hub/hub.h"
#include "hub/lock.h"
#include "hub/sleep.h"
#include "tests/conformance/stress_record.h"

namespace verdant {

// A lock with a condition, and who ought to be inside.
template <typename AnyLock>
class StressMonitor {
 public:
  explicit StressMonitor(Record& record) : record_(record) {}

  // Goes in and does some of what one does there.
  void Visit(std::uint64_t who, Chance& chance, Deadline deadline, Deadline patience) {
    bool got = false;
    {
      Inside inside(entering_);
      got = lock_.Acquire(deadline);
    }
    record_.Expect(got || Hub::Current().NowNanos() == deadline.nanos(), "a lock was in time");
    if (!got) return;
    Hold hold(*this, who);
    switch (chance.Below(6)) {
      case 0:
        Sleep();
        break;
      case 1:
        Sleep(absl::Nanoseconds(chance.Below(2000)));
        break;
      case 2:
        Notify(who, chance.Below(4));
        break;
      case 3:
        Notify(who, condition_.waiting());
        break;
      default:
        Wait(who, patience);
    }
    record_.Expect(holder_ == who, "whoever is inside is alone there");
  }
  void Check() const {
    record_.Expect(holder_ == 0 || lock_.locked(), "a lock that is held is locked");
    record_.Expect(condition_.waiting() <= waiting_, "a condition's waiting() are in Wait()");
    record_.Expect(lock_.waiting() <= entering_ + waiting_, "a lock's waiting() want to go in");
  }
  void CheckAtRest() const {
    Check();
    record_.Expect(lock_.locked() == (holder_ != 0), "a lock that is locked is held");
    record_.Expect(condition_.waiting() + lock_.waiting() == entering_ + waiting_,
                   "who is neither inside nor outside waits");
    record_.Expect(lock_.waiting() == 0 || lock_.locked(), "nobody waits for a free lock");
  }
  bool empty() const { return !lock_.locked() && condition_.waiting() == 0; }

 private:
  // The lock, held: released at the end, however that comes.
  class Hold {
   public:
    Hold(StressMonitor& monitor, std::uint64_t who) : monitor_(monitor) { monitor_.GoIn(who); }
    ~Hold() {
      monitor_.holder_ = 0;
      monitor_.lock_.Release();
    }

   private:
    StressMonitor& monitor_;
  };

  void GoIn(std::uint64_t who) {
    record_.Expect(holder_ == 0, "a lock lets one in at a time");
    holder_ = who;
    record_.Note('M', who, 0);
  }
  void Notify(std::uint64_t who, std::size_t count) {
    const std::size_t before = condition_.waiting();
    condition_.Notify(count);
    record_.Expect(condition_.waiting() == before - std::min(count, before),
                   "Notify wakes as many as it was told to");
    record_.Note('N', who, count);
  }
  void Wait(std::uint64_t who, Deadline deadline) {
    struct Outside {
      Outside(StressMonitor& m, std::uint64_t w) : monitor(m), self(w) { monitor.holder_ = 0; }
      ~Outside() { monitor.GoIn(self); }
      StressMonitor& monitor;
      std::uint64_t self;
    } const outside(*this, who);
    Inside inside(waiting_);
    const bool notified = condition_.Wait(deadline);
    record_.Expect(notified || Hub::Current().NowNanos() >= deadline.nanos(),
                   "a condition waits until it is notified, or for as long as it was to");
    record_.Note('w', who, notified);
  }

  AnyLock lock_;
  Condition condition_{lock_};
  Record& record_;
  std::uint64_t holder_ = 0;
  std::size_t entering_ = 0;  // in Acquire()
  std::size_t waiting_ = 0;   // in Condition::Wait()
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_MONITOR_H_

#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_GROUP_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_GROUP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hub/clock.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "pool/group.h"
#include "tests/conformance/stress_record.h"

namespace verdant {

// Short green threads that nobody has a handle of, spawned by SpawnN() of any kind.
class StressErrand {
 public:
  StressErrand(std::size_t& alive, absl::Duration time) : alive_(&alive), time_(time) { ++alive; }
  StressErrand(StressErrand&& other) noexcept
      : alive_(std::exchange(other.alive_, nullptr)), time_(other.time_) {}
  StressErrand& operator=(StressErrand&&) = delete;
  ~StressErrand() {
    if (alive_ != nullptr) --*alive_;
  }
  void operator()() { Sleep(time_); }

 private:
  std::size_t* alive_;
  absl::Duration time_;
};

// A bounded group and who ought to be in it.
class StressGroup {
 public:
  explicit StressGroup(Record& record) : record_(record) {}

  void Add(std::uint64_t who, const AnyGreenThread& thread, Deadline deadline) {
    bool added = true;
    try {
      Inside inside(coming_);
      group_.Add(thread, deadline);
    } catch (const PoolFull&) {
      added = false;
      record_.Expect(Hub::Current().NowNanos() == deadline.nanos(), "PoolFull was in time");
    }
    if (added && !thread.Dead() && !IsMember(thread)) members_.push_back(thread);
    record_.Expect(!added || thread.Dead() || group_.Contains(thread), "who was added is a member");
    record_.Note('a', who, added);
  }
  void Discard(std::uint64_t who, const AnyGreenThread& thread) {
    const bool was = IsMember(thread) && !thread.Dead();
    record_.Expect(group_.Discard(thread) == was, "Discard lets go of members");
    record_.Expect(!group_.Contains(thread), "who was discarded is no member");
    std::erase(members_, thread);
    record_.Note('d', who, was);
  }
  void SpawnN(std::uint64_t who, absl::Duration time) {
    if (CallerIsMember()) return;  // who would make the call itself
    // Counted when it is a member: until then its closure waits with the spawner.
    Inside inside(coming_);
    group_.SpawnN([errand = StressErrand(waiting_errands_, time), this]() mutable {
      StressErrand counted(errands_, absl::ZeroDuration());
      StressErrand begun = std::move(errand);
      begun();
    });
    record_.Note('n', who, 0);
  }
  void Join(std::uint64_t who, Deadline deadline) {
    if (CallerIsMember()) return;
    Inside inside(joining_);
    const bool ended = group_.Join(deadline);
    record_.Expect(ended || Hub::Current().NowNanos() == deadline.nanos(),
                   "a group's Join was in time");
    record_.Note('j', who, ended);
  }
  // Tells all members but the caller to end, and does not wait for it.
  void Kill(std::uint64_t who) {
    group_.Kill(std::make_exception_ptr(GreenletExit()), absl::ZeroDuration());
    record_.Note('Z', who, group_.size());
  }
  void Check() const {
    record_.Expect(group_.size() <= kSize, "a group has no more members than it may");
    record_.Expect(group_.Waiting() <= coming_, "a group's Waiting() want to get in");
  }
  void CheckAtRest() {
    Check();
    std::erase_if(members_, [](const AnyGreenThread& thread) { return thread.Dead(); });
    for (const AnyGreenThread& thread : members_) {
      record_.Expect(group_.Contains(thread), "a group keeps who was added");
    }
    record_.Expect(group_.size() == members_.size() + errands_, "a group counts its members");
    record_.Expect(group_.Waiting() == coming_, "who wants to get in waits");
    record_.Expect(coming_ == 0 || group_.Full(), "nobody waits for room that is there");
    record_.Expect(joining_ == 0 || !group_.empty(), "nobody joins an empty group");
  }
  // Green threads of its own that have not ended, at rest.
  std::size_t errands() const { return errands_; }
  bool empty() const { return group_.empty() && coming_ == 0; }

 private:
  static constexpr std::size_t kSize = 6;

  bool IsMember(const AnyGreenThread& thread) const {
    return std::find(members_.begin(), members_.end(), thread) != members_.end();
  }
  bool CallerIsMember() const { return group_.Contains(CurrentGreenThread()); }

  Group group_{static_cast<std::int64_t>(kSize)};
  Record& record_;
  std::vector<AnyGreenThread> members_;  // added from outside, some of whom may have ended
  std::size_t waiting_errands_ = 0;
  std::size_t errands_ = 0;
  std::size_t coming_ = 0;   // in Add() or SpawnN()
  std::size_t joining_ = 0;  // in Join()
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_GROUP_H_

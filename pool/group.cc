#include "pool/group.h"

#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace verdant {
namespace {

constexpr internal::PoolNames kNames = {"Group", "Group::Spawn", "Group::Join"};

// Throws where nobody can wait, before anything is done.
void CheckCanWait(Deadline deadline) {
  if (!deadline.Passed()) Hub::Current().CurrentTask();
}

}  // namespace

// The last one to go has nobody told any more: who survived may be killed again.
class Group::KillUnderWay {
 public:
  explicit KillUnderWay(Group& group) : group_(group) { ++group.kills_under_way_; }
  KillUnderWay(const KillUnderWay&) = delete;
  KillUnderWay& operator=(const KillUnderWay&) = delete;
  ~KillUnderWay() {
    if (--group_.kills_under_way_ != 0) return;
    for (Member& member : group_.members_) member.told_to_end = false;
  }

 private:
  Group& group_;
};

Group::Group() : Group(internal::PoolSlots::kNoLimit) {}

Group::Group(std::int64_t size) : slots_(new internal::PoolSlots(size, kNames)) {}

Group::~Group() {
  for (Member& member : members_) {
    if (member.thread.OfThisHub()) {
      member.thread.Unlink(member.link);
    } else {
      member.slot.Abandon();
    }
  }
  members_.clear();
  slots_->Unref();
}

void Group::Add(const AnyGreenThread& thread, Deadline deadline) {
  if (!internal::MemberThread(thread).OfThisHub()) {
    throw std::logic_error("Group::Add: " + thread.Description() +
                           " belongs to another thread's hub");
  }
  if (thread.Ready() || Contains(thread)) return;
  EnterBy(deadline);
  internal::PoolSlot slot(*slots_, internal::PoolSlot::Entered());
  if (thread.Ready() || Contains(thread)) return;
  Admit(thread, std::move(slot));
}

void Group::Admit(const AnyGreenThread& thread, internal::PoolSlot slot) {
  const internal::Task* identity = internal::MemberThread(thread).identity();
  members_.push_back({internal::MemberThread(thread), std::move(slot)});
  index_[identity] = std::prev(members_.end());
  members_.back().link =
      members_.back().thread.LinkWithoutLooking([this, identity] { Remove(identity); });
  if (kills_under_way_ != 0) killers_.WakeAll();
}

bool Group::Remove(const internal::Task* identity) {
  const auto place = index_.find(identity);
  if (place == index_.end()) return false;
  std::list<Member> gone;
  gone.splice(gone.end(), members_, place->second);
  index_.erase(place);
  if (kills_under_way_ != 0) killers_.WakeAll();
  return true;
}

bool Group::Discard(const AnyGreenThread& thread) {
  const auto place = Find(thread);
  if (place == index_.end()) return false;
  thread.Unlink(place->second->link);
  return Remove(place->first);
}

bool Group::Join(Deadline deadline, bool raise_error) {
  if (CallerIsMember()) {
    throw std::logic_error("Group::Join: a member of the group would wait for itself");
  }
  std::vector<AnyGreenThread> members;
  if (raise_error) members = Members();
  const bool emptied = slots_->WaitUntilIdle(deadline);
  for (const AnyGreenThread& member : members) {
    if (!member.Ready() || member.Successful()) continue;
    const std::exception_ptr error = member.Error();
    if (!IsGreenletExit(error)) std::rethrow_exception(error);
  }
  return emptied;
}

void Group::TellAll(const std::exception_ptr& exception) {
  const internal::Task* caller = internal::CurrentIdentity();
  // Backwards, since each is moved to the front of what is runnable.
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->thread.identity() == caller || std::exchange(member->told_to_end, true)) continue;
    member->thread.TellToEnd(exception);
  }
}

bool Group::OnlyCallerIsLeft() const {
  return members_.empty() || (members_.size() == 1 && CallerIsMember());
}

bool Group::Kill(std::exception_ptr exception, Deadline deadline) {
  if (exception == nullptr) throw std::logic_error("Group::Kill with no exception");
  CheckCanWait(deadline);
  const KillUnderWay under_way(*this);
  for (;;) {
    TellAll(exception);
    if (OnlyCallerIsLeft()) return true;
    if (deadline.Passed() || !killers_.Wait({"Group::Kill"}, deadline)) return OnlyCallerIsLeft();
  }
}

bool Group::KillOne(const AnyGreenThread& thread, std::exception_ptr exception, Deadline deadline) {
  if (exception == nullptr) throw std::logic_error("Group::KillOne with no exception");
  CheckCanWait(deadline);
  const auto place = Find(thread);
  if (place == index_.end()) return true;
  if (place->first == internal::CurrentIdentity()) {
    throw std::logic_error("Group::KillOne: the caller itself");
  }
  const KillUnderWay under_way(*this);
  const internal::MemberThread member = place->second->thread;
  if (!std::exchange(place->second->told_to_end, true)) member.TellToEnd(exception);
  return !deadline.Passed() && member.Join(deadline);
}

std::vector<AnyGreenThread> Group::Members() const {
  std::vector<AnyGreenThread> members;
  members.reserve(members_.size());
  for (const Member& member : members_) members.push_back(member.thread);
  return members;
}

std::optional<std::int64_t> Group::max_size() const {
  if (slots_->size() == internal::PoolSlots::kNoLimit) return std::nullopt;
  return slots_->size();
}

std::int64_t Group::FreeCount() const { return max_size() ? slots_->free() : INT64_MAX; }

std::int64_t Group::WaitAvailable(Deadline deadline) {
  return slots_->WaitForRoom(deadline) ? FreeCount() : 0;
}

}  // namespace verdant

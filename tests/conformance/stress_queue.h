#ifndef VERDANT_TESTS_CONFORMANCE_STRESS_QUEUE_H_
#define VERDANT_TESTS_CONFORMANCE_STRESS_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "hub/clock.h"
#include "hub/hub.h"
#include "pool/queue.h"
#include "tests/conformance/stress_record.h"

namespace verdant {

// A queue of numbered items and what it ought to hold. Each item is put once; what a Put() keeps
// the caller from, nobody may ever get, and what it put, exactly one does, in order.
class StressQueue {
 public:
  StressQueue(std::optional<std::size_t> maxsize, Record& record)
      : maxsize_(maxsize), record_(record) {}

  void Put(std::uint64_t who, Deadline deadline) {
    const std::uint32_t item = Offer();
    bool put = false;
    try {
      Inside inside(putting_);
      put = queue_->Put(std::uint32_t{item}, deadline);
    } catch (...) {
      // A rendezvous may have come about just before the interruption.
      if (state_[item] != State::kGot) state_[item] = State::kKept;
      record_.Note('p', who, item);
      throw;
    }
    if (!put) record_.Expect(InTime(deadline), "Put was in time");
    Settle(who, item, put);
  }
  void TryPut(std::uint64_t who) {
    const std::uint32_t item = Offer();
    Settle(who, item, queue_->TryPut(item));
  }
  void Get(std::uint64_t who, Deadline deadline) {
    std::optional<std::uint32_t> item;
    {
      Inside inside(getting_);
      item = queue_->Get(deadline);
    }
    if (!item) record_.Expect(InTime(deadline), "Get was in time");
    Got(who, item);
  }
  void TryGet(std::uint64_t who) { Got(who, queue_->TryGet()); }
  void Peek(std::uint64_t who, Deadline deadline) {
    std::optional<std::uint32_t> item;
    {
      Inside inside(getting_);
      item = queue_->Peek(deadline);
    }
    if (item) CheckNext(*item);
    record_.Note('K', who, item.value_or(0));
  }
  void Resize(std::size_t maxsize) { queue_->Resize(maxsize); }
  // Closes it; or, if it was closed and nobody has anything to do with it any more, begins anew.
  void CloseOrReopen(std::uint64_t who) {
    if (!queue_->closed()) {
      queue_->Close();
    } else if (held_.empty() && putting_ == 0 && getting_ == 0) {
      queue_.emplace(maxsize_);
    }
    record_.Note('C', who, queue_->closed());
  }

  // What holds at any time.
  void Check() const {
    record_.Expect(queue_->size() == held_.size(),
                   "a queue's size is what was put less what was got");
    record_.Expect(queue_->getting() <= getting_, "a queue's getting() are in Get()");
    record_.Expect(queue_->putting() <= putting_, "a queue's putting() are in Put()");
  }
  // What holds when nothing is runnable.
  void CheckAtRest() const {
    record_.Expect(!queue_->closed() || putting_ + getting_ == 0,
                   "nobody waits for a closed queue");
    record_.Expect(queue_->getting() == getting_, "a queue's getting() are all in Get()");
    record_.Expect(queue_->putting() == putting_, "a queue's putting() are all in Put()");
    record_.Expect(
        getting_ == 0 || (queue_->size() == 0 && (putting_ == 0 || queue_->maxsize() != 0u)),
        "nobody waits for what is there");
    record_.Expect(putting_ == 0 || queue_->full(), "nobody waits for room that is there");
    record_.Expect(queue_->Contents() == std::vector<std::uint32_t>(held_.begin(), held_.end()),
                   "a queue holds what was put, in order");
  }
  // Takes what is left.
  void Drain() {
    while (!held_.empty() && record_.violation().empty()) TryGet(0);
    record_.Expect(!queue_->TryGet(), "a queue is empty when all was got");
  }

 private:
  enum class State : std::uint8_t { kOffered, kPut, kKept, kGot };

  std::uint32_t Offer() {
    state_.push_back(State::kOffered);
    return static_cast<std::uint32_t>(state_.size() - 1);
  }
  void Settle(std::uint64_t who, std::uint32_t item, bool put) {
    if (put && state_[item] == State::kOffered) {
      state_[item] = State::kPut;
      held_.push_back(item);
    } else {
      record_.Expect((state_[item] == State::kGot) == put, "a Put that took too long put nothing");
      if (!put) state_[item] = State::kKept;
    }
    record_.Note(put ? 'P' : 'f', who, item);
  }
  void CheckNext(std::uint32_t item) {
    record_.Expect(item < state_.size(), "what is got was put");
    if (held_.empty()) {
      record_.Expect(state_[item] == State::kOffered, "a rendezvous takes what is offered");
    } else {
      record_.Expect(item == held_.front(), "items are got once, in order");
    }
  }
  void Got(std::uint64_t who, std::optional<std::uint32_t> item) {
    if (item) {
      CheckNext(*item);
      if (!held_.empty()) held_.pop_front();
      state_[*item] = State::kGot;
    }
    record_.Note(item ? 'G' : 'g', who, item.value_or(0));
  }

  // It came to nothing because of its deadline, or because there is nothing to wait for any more.
  bool InTime(Deadline deadline) const {
    return queue_->closed() || Hub::Current().NowNanos() == deadline.nanos();
  }

  const std::optional<std::size_t> maxsize_;
  std::optional<Queue<std::uint32_t>> queue_{std::in_place, maxsize_};
  Record& record_;
  std::vector<State> state_;
  std::deque<std::uint32_t> held_;
  std::size_t putting_ = 0;  // green threads in the calls
  std::size_t getting_ = 0;
};

}  // namespace verdant

#endif  // VERDANT_TESTS_CONFORMANCE_STRESS_QUEUE_H_

#ifndef VERDANT_POOL_INTERNAL_LINE_H_
#define VERDANT_POOL_INTERNAL_LINE_H_

#include <cstddef>
#include <cstdint>

#include "hub/hub.h"

namespace verdant::internal {

// Green threads that wait, first come, first served, for their share of something there is a number
// of: items, or room.
//
// Whoever is called has been promised nothing: it looks for itself when it runs, and goes back to
// its old place if there is nothing left. So one that is killed or times out after it was called
// has nothing to give back; all it takes is that the owner of the line calls again after anybody
// left.
class Line {
 public:
  // `operation`, a literal, is what reports say that they wait in.
  explicit Line(const char* operation) : operation_(operation) {}

  // A place in the line, for the scope of the waiting call.
  class Place : public Waiter {
   public:
    Place(Line& line, Task* task) : Waiter(task), line_(line), ticket_(line.next_ticket_++) {
      line.places_.PushBack(this);
      ++line.waiting_;
    }
    ~Place() { Leave(); }

    // Waits for a call or the deadline, or for less: callers loop. Throws what is aimed at the
    // green thread.
    WakeReason Wait(Deadline deadline) {
      if (deadline.never()) return task->hub->ParkOnce(task, {line_.operation_});
      return task->hub->ParkOnce(task, {line_.operation_}, deadline);
    }
    // It has been called, and so is served before all that have not.
    bool called() const { return state_ == State::kCalled; }
    // It can be served by somebody else right now: it is suspended, and not on its way out.
    bool suspended() const { return task->parked(); }
    // Goes back to where it stood before it was called.
    void Return();
    // Idempotent.
    void Leave() {
      if (state_ == State::kCalled) --line_.called_;
      if (state_ == State::kWaiting) --line_.waiting_;
      state_ = State::kGone;
      Unlink();
    }

   private:
    friend class Line;
    enum class State : std::uint8_t { kWaiting, kCalled, kGone };

    Line& line_;
    const std::uint64_t ticket_;
    State state_ = State::kWaiting;
  };

  // Nobody stands in line, called or not.
  bool empty() const { return waiting_ == 0 && called_ == 0; }
  std::size_t size() const { return waiting_ + called_; }
  // Those not called.
  std::size_t waiting() const { return waiting_; }
  std::size_t called() const { return called_; }

  // Calls so many from the front that `number` are on their way; never the caller itself.
  void CallUpTo(std::size_t number) {
    if (waiting_ != 0 && called_ < number) CallSlow(number);
  }
  void CallAll() { CallUpTo(SIZE_MAX); }
  // Throws std::logic_error if calling would, before anything is done that leads to it.
  void CheckThread() const {
    const Place* place = places_.front();
    if (place != nullptr && place->task->hub != current_hub) [[unlikely]]
      place->task->hub->Wake(place->task);
  }
  // The first not called that is suspended, or null.
  Place* FirstSuspended() const {
    Place* place = places_.front();
    while (place != nullptr && !place->suspended()) place = places_.next(place);
    return place;
  }

 private:
  void CallSlow(std::size_t number);

  const char* const operation_;
  List<Place> places_;  // those not called, by ticket
  std::size_t waiting_ = 0;
  std::size_t called_ = 0;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_LINE_H_

#ifndef VERDANT_POOL_INTERNAL_IMAP_ENGINE_H_
#define VERDANT_POOL_INTERNAL_IMAP_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <exception>

#include "greenlet/internal/variables.h"
#include "greenlet/source_location.h"
#include "hub/hub.h"
#include "pool/internal/line.h"

namespace verdant::internal {

// Runs an imap: who pulls the next input and when, how many calls are under way, who waits for
// what. Knows nothing of the types, which are the subclasses' business.
//
// There is no green thread per item and none for the input. Up to size+1 workers take turns: one
// that is free pulls an input and, if fewer than `size` calls are under way, makes the call itself;
// the next worker is woken before that, so that it goes on with the input as soon as the call waits
// for anything. Calls that never wait are thus all made by one worker, without a switch between
// them. The worker beyond `size` can but pull: an input that is slow to come, or a call that is
// slow to return, holds up neither the other.
//
// No more than `ahead` inputs are pulled ahead of the results taken (row A3.10): size+1 or what the
// caller wants (row B2.4).
class ImapEngine {
 public:
  struct Limits {
    std::uint64_t size = 0;   // calls at a time
    std::uint64_t ahead = 1;  // inputs pulled whose results were not taken
  };
  explicit ImapEngine(Limits limits);
  ImapEngine(const ImapEngine&) = delete;
  ImapEngine& operator=(const ImapEngine&) = delete;
  virtual ~ImapEngine() = default;

  // Starts at the hub's next turn, for whoever called at `site`.
  void Start(SourceLocation site);
  // Ends an engine that was started: kills what is under way and sees it end, which nothing can
  // interrupt. In a hub callback, where nobody can wait, it is the last worker that destroys it. Of
  // another hub, as after a fork in the child, it is left as it is unless all has ended.
  static void End(ImapEngine* engine) noexcept;

 protected:
  // For subclasses. Moves on to the next input and keeps it; false if there is none. May wait and
  // throw.
  virtual bool Pull() = 0;
  // Calls f with the input pulled last, which was number `ordinal`, and keeps the outcome. Throws
  // only when cancelled.
  virtual void Call(std::uint64_t ordinal) = 0;
  // The outcome that Take() is to give next has been kept.
  virtual bool NextIsThere() const = 0;

  // Waits until NextIsThere(): true; or until there is nothing more to come: false.
  bool AwaitNext(Deadline deadline);
  // The next outcome has been moved out of its place.
  void NextWasTaken() {
    ++taken_;
    if (!exhausted_) Feed();
    NotifyConsumer();
  }
  // The outcome of place `place` has been kept.
  void OutcomeIsThere(std::uint64_t place) {
    if (place == taken_) NotifyConsumer();
  }

  bool cancelled() const { return cancelled_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t pulled() const { return pulled_; }
  // What the input threw; it stands after the results of all inputs before it (decision 11).
  std::exception_ptr TakeInputError() { return std::exchange(input_error_, nullptr); }

 private:
  struct Worker;
  struct Idler;

  bool MayPull() const {
    return !pulling_ && !has_input_ && !exhausted_ && !cancelled_ && pulled_ - taken_ < ahead_;
  }
  bool MayCall() const { return has_input_ && running_ < size_; }
  // Wakes or makes workers for what there is to do.
  void Feed() {
    if (MayPull() || MayCall()) FeedSlow();
  }
  void FeedSlow();
  void SpawnWorker();
  void Work(Worker& self);
  void PullNext(Worker& self);
  void CallNext(Worker& self);
  void Idle(Worker& self);
  void DismissIdle();
  void WorkerIsGone(Worker& worker);
  void CancelWorkers();
  void NotifyConsumer() {
    if (!consumers_.empty() && (NextIsThere() || NothingToCome())) consumers_.CallUpTo(1);
  }
  bool NothingToCome() const { return exhausted_ && taken_ == pulled_; }

  Hub& hub_;
  // Of whoever called: each call of f starts with it, whoever feeds the engine and whatever the
  // call before has set.
  const VariableMapRef context_;
  const std::uint64_t size_;
  const std::uint64_t ahead_;
  SourceLocation site_;
  std::uint64_t pulled_ = 0;   // inputs
  std::uint64_t taken_ = 0;    // outcomes
  std::uint64_t running_ = 0;  // calls of f under way
  bool pulling_ = false;       // a worker is in Pull()
  bool has_input_ = false;     // the input pulled last waits for its call
  bool exhausted_ = false;     // there are no more inputs
  bool cancelled_ = false;
  bool destroyed_by_last_ = false;  // of its workers
  std::exception_ptr input_error_;

  std::uint64_t worker_count_ = 0;
  std::uint64_t worker_limit_;
  std::uint64_t called_up_ = 0;  // workers woken or made for work that they have not come to yet
  List<Worker> workers_;
  WaitList idle_;  // last come, first served: its stack is still warm
  Line consumers_{"imap: the next result"};
  Task* canceller_ = nullptr;
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_IMAP_ENGINE_H_

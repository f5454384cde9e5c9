#ifndef VERDANT_HUB_SHARED_SEMAPHORE_H_
#define VERDANT_HUB_SHARED_SEMAPHORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "hub/clock.h"

namespace verdant {

// A counter to take from and to wait for, for the green threads of all hubs and for plain OS
// threads. Fair: waiters are served in the order they came, wherever they run, and nobody overtakes
// them. With a count of 1 it is a lock that may be held across whatever waits. Row B6.2.
//
// Threading: every function from any thread. A green thread (or a thread's main greenlet) parks; a
// thread that has no hub blocks, and gets none by it. In a hub callback what would have to wait
// throws std::logic_error. While a green thread waits, its hub does not take it that nothing can
// happen any more (LoopExit).
//
// Who is killed or times out takes nothing; what it had been given goes to the next one. Destroyed
// while somebody waits: those that wait get a std::logic_error. To be made anew in the child of a
// fork.
class SharedSemaphore {
 public:
  // Throws std::logic_error if `count` is negative.
  explicit SharedSemaphore(std::int64_t count = 1);
  SharedSemaphore(const SharedSemaphore&) = delete;
  SharedSemaphore& operator=(const SharedSemaphore&) = delete;
  ~SharedSemaphore();

  // Takes one, waiting for it if need be.
  void Acquire();
  // The same, or false if `deadline` came first.
  bool Acquire(Deadline deadline);
  // Takes one if there is one that nobody waits for; never waits.
  bool TryAcquire();
  // Gives back `count` of them, above the initial count if need be. Throws std::logic_error if
  // `count` is negative.
  void Release(std::int64_t count = 1);

  // What could be taken now, and how many wait for one: true when asked.
  std::int64_t count() const;
  std::size_t waiting() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_SHARED_SEMAPHORE_H_

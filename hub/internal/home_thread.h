#ifndef VERDANT_HUB_INTERNAL_HOME_THREAD_H_
#define VERDANT_HUB_INTERNAL_HOME_THREAD_H_

#include <stdexcept>
#include <string>

#include "hub/hub.h"

namespace verdant::internal {

// The thread that made it, for what belongs to one thread and wants to say so rather than break.
// The same thread in the child of a fork, where the hub is another.
class HomeThread {
 public:
  // Throws std::logic_error on any other thread. `what` begins the sentence.
  void Check(const char* what) const {
    if (home_ != &current_hub) [[unlikely]]
      Refuse(what);
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] static void Refuse(const char* what) {
    throw std::logic_error(std::string(what) +
                           " belongs to another thread and cannot be used from here");
  }

  // Where this thread keeps its hub: an address of its own for each thread, made or not.
  Hub* const* home_ = &current_hub;
};

// The same for what is used too often to pay for it: looked at in builds with assertions only, but
// no less an exception. Where somebody waits or has linked, the others find out as well.
class AssertedHomeThread {
 public:
#if defined(NDEBUG)
  void Check(const char*) const {}
#else
  void Check(const char* what) const { home_.Check(what); }

 private:
  HomeThread home_;
#endif
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_HOME_THREAD_H_

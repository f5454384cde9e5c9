#ifndef VERDANT_APPS_CRAWLER_INTERRUPT_H_
#define VERDANT_APPS_CRAWLER_INTERRUPT_H_

#include <functional>

#include "hub/watcher/signal.h"

namespace verdant::crawler {

// What Ctrl-C does to a command while the object lives: the first time, or on SIGTERM, `stop` is
// called on the hub so that the command can end in good order, and a line on stderr says so; the
// second time the process ends at once with status 130.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> stop);
  bool happened() const { return happened_; }

 private:
  void OnSignal();

  std::function<void()> stop_;
  bool happened_ = false;
  SignalWatcher interrupt_;
  SignalWatcher terminate_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_INTERRUPT_H_

#include "apps/crawler/interrupt.h"

#include <signal.h>
#include <stdlib.h>

#include <utility>

#include "apps/crawler/commands.h"

namespace verdant::crawler {

Interrupt::Interrupt(std::function<void()> stop)
    : stop_(std::move(stop)),
      interrupt_(SIGINT, [this] { OnSignal(); }),
      terminate_(SIGTERM, [this] { OnSignal(); }) {}

void Interrupt::OnSignal() {
  if (happened_) _Exit(kExitInterrupted);
  happened_ = true;
  stop_();
}

}  // namespace verdant::crawler

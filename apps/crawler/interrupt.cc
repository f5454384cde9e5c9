#include "apps/crawler/interrupt.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
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
  // Over the line of progress, if one is shown.
  std::fprintf(stderr, "%scrawler: finishing what is in flight; once more ends at once\n",
               isatty(STDERR_FILENO) ? "\r\033[K" : "");
}

}  // namespace verdant::crawler

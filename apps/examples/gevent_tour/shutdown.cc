// A signal ends a green thread that would sleep for hours.
#include <csignal>
#include <iostream>

#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/watcher/signal.h"

int main() {
  auto forever = verdant::Spawn([] { verdant::Sleep(absl::Hours(1000)); });
  const verdant::SignalWatcher quit(SIGQUIT, [&forever] {
    std::cout << "SIGQUIT\n";
    forever.Kill();
  });

  verdant::SpawnN([] { raise(SIGQUIT); });  // as somebody's Ctrl-\ would
  forever.Join();
  std::cout << "killed: " << std::boolalpha << forever.Killed() << "\n";
}

// A program of several workers that goes on until it is asked to stop by SIGTERM or SIGINT.
#include <csignal>
#include <iostream>

#include "absl/time/time.h"
#include "hub/flag.h"
#include "hub/green_thread.h"
#include "hub/watcher/signal.h"
#include "pool/group.h"

class Worker {
 public:
  explicit Worker(int number) : number_(number) { std::cout << "worker " << number_ << " up\n"; }
  ~Worker() { std::cout << "worker " << number_ << " down\n"; }
  void Run() {
    for (;;) verdant::Sleep(absl::Hours(1));
  }

 private:
  const int number_;
};

int main() {
  verdant::Flag stop;
  const verdant::SignalWatcher terminate(SIGTERM, [&stop] { stop.Set(); });
  const verdant::SignalWatcher interrupt(SIGINT, [&stop] { stop.Set(); });

  verdant::Group workers;
  for (int number : {1, 2}) workers.SpawnN([number] { Worker(number).Run(); });
  verdant::SpawnN([] { raise(SIGTERM); });  // somebody asks

  stop.Wait();
  std::cout << "asked to stop\n";
  workers.Kill();  // unwinds each, and waits for it
  std::cout << "bye\n";
}

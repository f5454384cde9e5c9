// A class whose objects are green threads: it has one, which runs a member function.
#include <iostream>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "apps/examples/simulated_time.h"
#include "hub/green_thread.h"

class Greeter {
 public:
  Greeter(std::string greeting, absl::Duration stay)
      : greeting_(std::move(greeting)), stay_(stay), thread_(verdant::Prepare([this] { Run(); })) {}
  Greeter(const Greeter&) = delete;
  Greeter& operator=(const Greeter&) = delete;
  ~Greeter() { thread_.KillAndJoin(); }

  const verdant::GreenThread<void>& thread() const { return thread_; }

 private:
  void Run() {
    std::cout << greeting_ << "\n";
    verdant::Sleep(stay_);
  }

  const std::string greeting_;
  const absl::Duration stay_;
  const verdant::GreenThread<void> thread_;
};

int main() {
  auto& time = verdant::examples::SimulatedTime::Use();
  const Greeter greeter("Good morning!", absl::Seconds(3));
  greeter.thread().Start();
  greeter.thread().Join();
  std::cout << "gone after " << time.Passed() << "\n";
}

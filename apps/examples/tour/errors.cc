#include "hub/errors.h"

#include <iostream>
#include <stdexcept>

#include "hub/event.h"
#include "hub/green_thread.h"

struct Light {
  ~Light() { std::cout << "light out\n"; }
};

int main() {
  // An exception is kept for whoever waits.
  auto broken = verdant::Spawn([]() -> int { throw std::runtime_error("out of paper"); });
  try {
    broken.Wait();
  } catch (const std::runtime_error& error) {
    std::cout << "printer: " << error.what() << "\n";
  }

  // Kill() throws GreenletExit where the green thread waits, so destructors run.
  auto reader = verdant::Spawn([] {
    const Light light;
    verdant::Sleep(absl::Hours(8));
  });
  verdant::Sleep();  // let it begin
  reader.Kill();
  std::cout << "still reading: " << std::boolalpha << !reader.Ready() << "\n";

  // Nothing left that could ever happen: an explanation instead of a hang.
  verdant::Event<> never;
  try {
    never.Wait();
  } catch (const verdant::LoopExit& deadlock) {
    std::cout << "deadlock found\n";
  }
}

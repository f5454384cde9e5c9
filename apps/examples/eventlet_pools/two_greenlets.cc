// Two greenlets switch to each other by hand. The first one's end takes control back to main, so
// that the second never gets to its last line.
#include <iostream>

#include "greenlet/greenlet.h"

int main() {
  verdant::Greenlet ping;
  verdant::Greenlet pong;
  ping = verdant::Greenlet([&] {
    std::cout << "ping\n";
    pong.Switch();
    std::cout << "ping again\n";
  });
  pong = verdant::Greenlet([&] {
    std::cout << "pong\n";
    ping.Switch();
    std::cout << "never printed\n";
  });

  ping.Switch();
  std::cout << std::boolalpha << "ping is dead: " << ping.dead()
            << ", pong is dead: " << pong.dead() << "\n";
}

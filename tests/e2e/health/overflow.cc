// A program with a green thread that uses up its stack.

#include <cstring>

#include "hub/green_thread.h"

namespace {

[[gnu::noinline]] int Descend(int depth) {
  volatile char room[512];
  std::memset(const_cast<char*>(room), depth, sizeof(room));
  return depth == 0 ? room[0] : Descend(depth - 1) + room[1];
}

}  // namespace

int main() {
  auto descender = verdant::Spawn([] { return Descend(1 << 20); });
  descender.SetName("descender");
  return descender.Wait();
}

// A program whose green threads need stacks of different depth.

#include <cstdio>
#include <cstring>
#include <vector>

#include "hub/green_thread.h"

namespace {

unsigned Checksum(const char* text, std::size_t size) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum = sum * 31 + static_cast<unsigned char>(text[i]);
  return sum;
}

[[gnu::noinline]] unsigned Format(int number) {
  char page[20000];
  std::memset(page, number, sizeof(page));
  return Checksum(page, sizeof(page));
}

[[gnu::noinline]] unsigned Reply(int number) {
  char line[200];
  std::memset(line, number, sizeof(line));
  return Checksum(line, sizeof(line));
}

}  // namespace

int main() {
  std::vector<verdant::GreenThread<unsigned>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(verdant::Spawn([i] { return Reply(i); }));
    if (i % 10 == 0) all.push_back(verdant::Spawn([i] { return Format(i); }));
  }
  verdant::JoinAll(all);
  std::puts("done");
}

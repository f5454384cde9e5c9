#ifndef VERDANT_TESTS_GREENLET_STACK_TESTING_H_
#define VERDANT_TESTS_GREENLET_STACK_TESTING_H_

#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>

namespace verdant {

// Mappings of this process, of which the kernel allows so many.
inline std::size_t MapEntries() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::size_t count = 0;
  while (std::getline(maps, line)) ++count;
  return count;
}

// Fills the stack below the caller; not optimised into a loop.
inline int Devour(int depth) {
  volatile char room[512];
  std::memset(const_cast<char*>(room), depth, sizeof(room));
  return depth == 0 ? room[0] : Devour(depth - 1) + room[1];
}

}  // namespace verdant

#endif  // VERDANT_TESTS_GREENLET_STACK_TESTING_H_

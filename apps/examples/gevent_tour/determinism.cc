// Ten calls at a time, results as the calls end: with green threads the order is the same at every
// run, with OS threads it need not be.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "pool/group.h"
#include "pool/thread_pool.h"

template <typename Pool, typename F>
std::vector<int> Run(Pool& pool, F echo, const std::vector<int>& numbers) {
  std::vector<int> order;
  for (int i : pool.ImapUnordered(echo, numbers)) order.push_back(i);
  return order;
}

int main() {
  std::cout << std::boolalpha;
  const std::vector<int> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

  verdant::ThreadPool threads(10);
  auto blocking_echo = [](int i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return i;
  };
  std::vector<int> some_order = Run(threads, blocking_echo, numbers);
  std::sort(some_order.begin(), some_order.end());  // all one can say of it
  std::cout << "OS threads: all there: " << (some_order == numbers) << "\n";

  verdant::Group pool(10);
  auto echo = [](int i) {
    verdant::Sleep(absl::Milliseconds(1));
    return i;
  };
  const std::vector<int> first = Run(pool, echo, numbers);
  const std::vector<int> second = Run(pool, echo, numbers);
  const std::vector<int> third = Run(pool, echo, numbers);
  const std::vector<int> fourth = Run(pool, echo, numbers);
  std::cout << "green threads: four runs equal: "
            << (first == second && second == third && third == fourth) << "\n";
}

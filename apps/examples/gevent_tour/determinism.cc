// Ten calls at a time, results as the calls end: with green threads the order is the same at every
// run, with OS threads it need not be.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <ranges>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "pool/group.h"
#include "pool/thread_pool.h"

template <typename Pool, typename F>
std::vector<int> Run(Pool& pool, F echo) {
  std::vector<int> order;
  for (int i : pool.ImapUnordered(echo, std::views::iota(0, 10))) order.push_back(i);
  return order;
}

int main() {
  std::cout << std::boolalpha;

  verdant::ThreadPool threads(10);
  auto blocking_echo = [](int i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return i;
  };
  std::vector<int> some_order = Run(threads, blocking_echo);
  std::ranges::sort(some_order);  // all one can say of it
  const std::ranges::iota_view<int, int> all(0, 10);
  std::cout << "OS threads: all there: " << std::ranges::equal(some_order, all) << "\n";

  verdant::Group pool(10);
  auto echo = [](int i) {
    verdant::Sleep(absl::Milliseconds(1));
    return i;
  };
  const std::vector<int> first = Run(pool, echo);
  const std::vector<int> second = Run(pool, echo);
  const std::vector<int> third = Run(pool, echo);
  const std::vector<int> fourth = Run(pool, echo);
  std::cout << "green threads: four runs equal: "
            << (first == second && second == third && third == fourth) << "\n";
}

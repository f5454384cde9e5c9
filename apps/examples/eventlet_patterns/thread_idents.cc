// All green threads of a hub share its OS thread; what tells them apart is GetIdent().
#include <cstdint>
#include <iostream>
#include <set>
#include <thread>

#include "greenlet/local.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"

int main() {
  std::set<std::thread::id> os_threads;
  std::set<std::uint64_t> idents;

  auto work = [&] {
    for (int job = 0; job < 3; ++job) {
      os_threads.insert(std::this_thread::get_id());
      idents.insert(verdant::GetIdent());
      verdant::Sleep();
    }
  };
  verdant::GreenPool pool;
  for (int worker = 0; worker < 4; ++worker) pool.SpawnN(work);
  pool.WaitAll();
  std::cout << "OS threads: " << os_threads.size() << ", green threads: " << idents.size() << "\n";
}

// A call that blocks the OS thread stops every green thread on it: the workers might as well work
// one after the other.
#include <chrono>
#include <iostream>
#include <thread>

#include "hub/green_thread.h"
#include "pool/green_pool.h"

void Work(int worker) {
  for (int job = 1; job <= 3; ++job) {
    std::cout << "worker " << worker << ": job " << job << "\n";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

int main() {
  verdant::GreenPool pool;
  for (int worker = 0; worker < 3; ++worker) pool.SpawnN(Work, worker);
  pool.WaitAll();
}

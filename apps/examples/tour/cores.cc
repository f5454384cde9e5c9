#include <iostream>
#include <string>
#include <vector>

#include "hub/green_thread.h"
#include "hub/hub_group.h"
#include "pool/shared_queue.h"

long CountPrimes(long from, long to) {
  long primes = 0;
  for (long n = from; n < to; ++n) {
    long divisor = 2;
    while (divisor * divisor <= n && n % divisor != 0) ++divisor;
    if (n > 1 && divisor * divisor > n) ++primes;
  }
  return primes;
}

int main() {
  verdant::HubGroup::Options options;
  options.threads = 2;  // as many as there are processors unless told
  verdant::HubGroup group(options);

  // Wherever there is room; whoever waits for it parks, as for any green thread.
  std::vector<verdant::RemoteGreenThread<long>> parts;
  for (long i = 0; i < 10; ++i) {
    parts.push_back(group.Spawn(CountPrimes, 1000 * i, 1000 * (i + 1)));
  }
  long primes = 0;
  for (auto& part : parts) primes += part.Wait();
  std::cout << primes << " primes below 10000\n";

  // What one hub owns the others ask it for, and so it needs no lock.
  long visits = 0;
  auto visit = [&group, &visits] {
    for (int i = 0; i < 100; ++i) group.RunInHub(0, [&visits] { ++visits; });
  };
  auto here = group.SpawnOn(0, visit);
  auto there = group.SpawnOn(1, visit);
  here.Wait();
  there.Wait();
  std::cout << visits << " visits\n";

  // Or a queue that threads may share leads from one to the other.
  verdant::SharedQueue<std::string> letters(10);
  auto reader = group.SpawnOn(1, [&letters] {
    std::string text;
    for (const std::string& letter : letters) text += letter;
    return text;
  });
  for (const char* letter : {"h", "e", "l", "l", "o"}) letters.Put(letter);
  letters.Close();
  std::cout << reader.Wait() << "\n";

  std::cout << (group.Stop() ? "all ended by themselves" : "some were killed") << "\n";
}

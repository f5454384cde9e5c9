#include "bench/hub/crossing.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "bench/measured.h"
#include "hub/hub_group.h"
#include "hub/shared_event.h"
#include "pool/shared_queue.h"

namespace verdant {
namespace {

constexpr long kPosts = 400'000;
constexpr long kRoundTrips = 20'000;
constexpr long kItems = 200'000;
constexpr std::size_t kRoom = 1000;  // in a queue

HubGroup::Options TwoPinned() {
  HubGroup::Options options;
  options.threads = 2;
  options.pin = true;
  return options;
}

// Runs `work`, in which `count` items happen, and prints what one took.
template <typename Work>
void Measure(const std::string& name, long count, Work work) {
  const std::int64_t wall = NanosOf(CLOCK_MONOTONIC);
  const std::int64_t cpu = NanosOf(CLOCK_PROCESS_CPUTIME_ID);
  work();
  const auto each = [count](std::int64_t nanos) {
    return static_cast<double>(nanos) / static_cast<double>(count);
  };
  PrintValue(name.c_str(), each(NanosOf(CLOCK_PROCESS_CPUTIME_ID) - cpu));
  PrintValue((name + "/wall").c_str(), each(NanosOf(CLOCK_MONOTONIC) - wall));
}

// ---- Between two hubs. ----

void PostOneWay() {
  HubGroup group(TwoPinned());
  group.RunInHub(0, [&group] {
    Measure("PostOneWay", kPosts, [&group] {
      SharedEvent<> done;
      long left = kPosts;  // the other hub's alone
      for (long i = 0; i < kPosts; ++i) {
        group.Post(1, [&] {
          if (--left == 0) done.Send();
        });
      }
      done.Wait();
    });
  });
}

void PostRoundTrip() {
  struct Rally {
    void There() {
      group.Post(1, [this] { Back(); });
    }
    void Back() {
      group.Post(0, [this] { --left == 0 ? done.Send() : There(); });
    }
    HubGroup& group;
    long left;
    SharedEvent<> done;
  };
  HubGroup group(TwoPinned());
  group.RunInHub(0, [&group] {
    Measure("PostRoundTrip", kRoundTrips, [&group] {
      Rally rally{group, kRoundTrips, {}};
      rally.There();
      rally.done.Wait();
    });
  });
}

void RunInHubRoundTrip() {
  HubGroup group(TwoPinned());
  group.RunInHub(0, [&group] {
    Measure("RunInHub", kRoundTrips, [&group] {
      for (long i = 0; i < kRoundTrips; ++i) {
        if (group.RunInHub(1, [i] { return i; }) != i) std::abort();
      }
    });
  });
}

void ThroughSharedQueue() {
  HubGroup group(TwoPinned());
  group.RunInHub(0, [&group] {
    Measure("SharedQueue", kItems, [&group] {
      SharedQueue<long> queue(kRoom);
      const auto sum = group.SpawnOn(1, [&queue] {
        long total = 0;
        for (const long item : queue) total += item;
        return total;
      });
      for (long i = 0; i < kItems; ++i) queue.Put(i);
      queue.Close();
      if (sum.Wait() != kItems * (kItems - 1) / 2) std::abort();
    });
  });
}

// ---- Between two plain threads. ----

// Calls for a thread, taken all at once; who finds it awake spares it the wake-up.
class Calls {
 public:
  using Call = absl::AnyInvocable<void()>;

  void Put(Call call) {
    bool wake = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      calls_.push_back(std::move(call));
      wake = std::exchange(waiting_, false);
    }
    if (wake) put_.notify_one();
  }
  // Makes calls until one of them has said End().
  void Run() {
    std::vector<Call> batch;
    while (!ended_) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        while (calls_.empty()) {
          waiting_ = true;
          put_.wait(lock);
        }
        waiting_ = false;
        batch.swap(calls_);
      }
      for (Call& call : batch) call();
      batch.clear();
    }
  }
  void End() { ended_ = true; }

 private:
  std::mutex mutex_;
  std::condition_variable put_;
  std::vector<Call> calls_;
  bool waiting_ = false;
  bool ended_ = false;  // the thread's alone
};

void PlainOneWay() {
  Calls calls;
  std::thread other([&calls] {
    PinTo(1);
    calls.Run();
  });
  Measure("PlainOneWay", kPosts, [&] {
    long left = kPosts;
    for (long i = 0; i < kPosts; ++i) {
      calls.Put([&] {
        if (--left == 0) calls.End();
      });
    }
    other.join();
  });
}

void PlainRoundTrip() {
  struct Rally {
    void There() {
      there.Put([this] { Back(); });
    }
    void Back() {
      if (--left == 0) there.End();
      back.Put([this, last = left == 0] { last ? back.End() : There(); });
    }
    Calls there;
    Calls back;
    long left = kRoundTrips;
  } rally;
  std::thread other([&rally] {
    PinTo(1);
    rally.there.Run();
  });
  Measure("PlainRoundTrip", kRoundTrips, [&] {
    rally.There();
    rally.back.Run();
    other.join();
  });
}

void EventfdRoundTrip() {
  const int there = eventfd(0, EFD_CLOEXEC);
  const int back = eventfd(0, EFD_CLOEXEC);
  std::thread other([there, back] {
    PinTo(1);
    eventfd_t value;
    for (long i = 0; i < kRoundTrips; ++i) {
      if (eventfd_read(there, &value) != 0 || eventfd_write(back, 1) != 0) std::abort();
    }
  });
  Measure("EventfdRoundTrip", kRoundTrips, [&] {
    eventfd_t value;
    for (long i = 0; i < kRoundTrips; ++i) {
      if (eventfd_write(there, 1) != 0 || eventfd_read(back, &value) != 0) std::abort();
    }
    other.join();
  });
  close(there);
  close(back);
}

void ThroughPlainQueue() {
  std::mutex mutex;
  std::condition_variable put;
  std::condition_variable got;
  std::deque<long> items;
  bool putter_waits = false;
  bool getter_waits = false;
  std::thread other([&] {
    PinTo(1);
    long total = 0;
    for (long i = 0; i < kItems; ++i) {
      std::unique_lock<std::mutex> lock(mutex);
      while (items.empty()) {
        getter_waits = true;
        put.wait(lock);
      }
      total += items.front();
      items.pop_front();
      if (std::exchange(putter_waits, false)) got.notify_one();
    }
    if (total != kItems * (kItems - 1) / 2) std::abort();
  });
  Measure("PlainQueue", kItems, [&] {
    for (long i = 0; i < kItems; ++i) {
      std::unique_lock<std::mutex> lock(mutex);
      while (items.size() >= kRoom) {
        putter_waits = true;
        got.wait(lock);
      }
      items.push_back(i);
      if (std::exchange(getter_waits, false)) put.notify_one();
    }
    other.join();
  });
}

}  // namespace

void MeasureCrossings() {
  PostOneWay();
  PostRoundTrip();
  RunInHubRoundTrip();
  ThroughSharedQueue();
  // These have this thread for one of the two.
  PinTo(0);
  PlainOneWay();
  PlainRoundTrip();
  EventfdRoundTrip();
  ThroughPlainQueue();
  Unpin();
}

}  // namespace verdant

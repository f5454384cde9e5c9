// All green threads of a hub share its OS thread; what tells them apart is GetIdent(), and their
// names. Whether a job holds up the others depends on how it waits, not on that.
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "greenlet/local.h"
#include "hub/green_thread.h"
#include "pool/green_pool.h"

// Small numbers for what is different in each run, in order of appearance.
template <typename Id>
class Numbers {
 public:
  std::size_t Of(const Id& id) {
    return numbers_.try_emplace(id, numbers_.size() + 1).first->second;
  }

 private:
  std::map<Id, std::size_t> numbers_;
};

constexpr int kWorkers = 3;
constexpr int kJobs = 2;

// Each worker does its jobs, and `wait` after each of them.
void Run(const std::string& title, const std::function<void()>& wait) {
  std::cout << title << "\n";
  Numbers<std::thread::id> os_threads;
  Numbers<std::uint64_t> green_threads;
  verdant::GreenPool pool(20);
  for (int worker = 0; worker < kWorkers; ++worker) {
    std::cout << "worker " << worker << " does " << kJobs << " jobs\n";
    auto thread = pool.Spawn([&, worker] {
      for (int job = 1; job <= kJobs; ++job) {
        std::cout << "worker " << worker << ", job " << job << ": OS thread "
                  << os_threads.Of(std::this_thread::get_id()) << ", green thread "
                  << green_threads.Of(verdant::GetIdent()) << ", which is called '"
                  << verdant::CurrentGreenThread().Name() << "'\n";
        wait();
      }
    });
    thread.SetName(absl::StrCat("worker ", worker));
  }
  pool.WaitAll();
}

int main() {
  Run("-- a wait lets the others run", [] { verdant::Sleep(absl::Milliseconds(1)); });
  Run("-- a call that blocks the OS thread does not",
      [] { absl::SleepFor(absl::Milliseconds(1)); });
  Run("-- nor does one that waits for nothing", [] {});
}

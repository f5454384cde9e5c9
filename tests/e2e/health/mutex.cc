// A program that uses a std::mutex in a green thread:   mutex across | before | deadlock

#include <cstdio>
#include <mutex>
#include <string_view>

#include "absl/time/time.h"
#include "hub/green_thread.h"

namespace {

std::mutex table_mutex;
int table = 0;

void UpdateAcross() {
  const std::lock_guard<std::mutex> lock(table_mutex);
  ++table;
  verdant::Sleep(absl::Milliseconds(10));
}

void UpdateBefore() {
  {
    const std::lock_guard<std::mutex> lock(table_mutex);
    ++table;
  }
  verdant::Sleep(absl::Milliseconds(10));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "across";
  auto first = verdant::Spawn(how == "before" ? &UpdateBefore : &UpdateAcross);
  first.SetName("first");
  if (how == "deadlock") {
    auto second = verdant::Spawn(&UpdateAcross);
    second.SetName("second");
    second.Wait();
  }
  first.Wait();
  std::printf("%d\n", table);
}

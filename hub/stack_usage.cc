#include "hub/stack_usage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "greenlet/stack.h"
#include "hub/internal/stack_meter.h"

namespace verdant {
namespace {

std::size_t Recommended(std::size_t used) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t wanted = std::max(used + used / 2 + page, kMinStackSize);
  return (wanted + page - 1) / page * page;
}

// Of all hubs, since it is about places in the code. Never destroyed: green threads may end late.
struct Table {
  std::mutex mutex;
  std::vector<StackUse> rows;
};
Table& TheTable() {
  static auto* table = new Table;
  return *table;
}

void PrintAtExit() {
  const std::string text = StackUsageReport();
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

namespace internal {

void NoteStackUse(SourceLocation site, std::size_t stack_size, std::size_t used) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  auto row = std::find_if(table.rows.begin(), table.rows.end(), [&](const StackUse& use) {
    return use.spawned_at.line() == site.line() &&
           std::strcmp(use.spawned_at.file_name(), site.file_name()) == 0;
  });
  if (row == table.rows.end()) row = table.rows.insert(row, StackUse{site});
  ++row->measured;
  if (used <= row->most) return;
  row->most = used;
  row->stack_size = stack_size;
  row->recommended = Recommended(used);
}

}  // namespace internal

std::size_t DefaultStackMeasuring() {
  static const std::size_t every = [] {
    std::size_t number = 0;
    const char* wanted = std::getenv("VERDANT_STACK_USAGE");
    if (wanted == nullptr || !absl::SimpleAtoi(wanted, &number) || number == 0) return 0ul;
    std::atexit(&PrintAtExit);
    return number;
  }();
  return every;
}

std::vector<StackUse> StackUsage() {
  Table& table = TheTable();
  std::vector<StackUse> rows;
  {
    const std::lock_guard<std::mutex> lock(table.mutex);
    rows = table.rows;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const StackUse& a, const StackUse& b) { return a.most > b.most; });
  return rows;
}

std::string StackUsageReport() {
  std::string text = absl::StrFormat("%10s %10s %10s %12s  %s\n", "measured", "most used",
                                     "stack size", "recommended", "spawned at");
  for (const StackUse& use : StackUsage()) {
    const std::string site = use.spawned_at.line() != 0 ? absl::StrCat(use.spawned_at.file_name(),
                                                                       ":", use.spawned_at.line())
                                                        : "(unknown)";
    absl::StrAppendFormat(&text, "%10d %10d %10d %12d  %s\n", use.measured, use.most,
                          use.stack_size, use.recommended, site);
  }
  return text;
}

}  // namespace verdant

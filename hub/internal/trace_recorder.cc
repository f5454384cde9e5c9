#include "hub/internal/trace_recorder.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace verdant::internal {
namespace {

// Longer names are cut.
constexpr std::size_t kLongestName = 96;
constexpr std::size_t kBytesPerRecord = 3 * sizeof(std::uint64_t);

// As much of it as there is room for, without half a character at the end.
std::string_view Shortened(std::string_view name) {
  if (name.size() <= kLongestName) return name;
  std::size_t size = kLongestName;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xc0) == 0x80) --size;
  return name.substr(0, size);
}

std::string_view NameOf(const Task& task) {
  if (task.named()) return task.name();
  if (task.fiber->name != nullptr) return task.fiber->name;
  return task.is_main ? "main" : std::string_view();
}

}  // namespace

TraceRecorder::TraceRecorder(std::shared_ptr<TraceLog> log, TraceRing& ring, const Fiber& hub_fiber)
    : log_(std::move(log)),
      ring_(ring),
      clock_(log_->clock()),
      hub_fiber_(hub_fiber),
      described_(ring.capacity() / 2) {}

void TraceRecorder::Start(const Fiber& running) {
  ring_.wanted.store(true);
  const std::uint64_t now = Now();
  const bool hub = &running == &hub_fiber_;
  if (!hub && running.scheduled != nullptr) Describe(running);
  ring_.Push(now, hub ? 0 : running.id, 0, TraceRecord::Pack(TraceKind::kStart));
}

void TraceRecorder::Stop() {
  ring_.Push(Now(), 0, 0, TraceRecord::Pack(TraceKind::kStop));
  ring_.wanted.store(false);
}

void TraceRecorder::Describe(const Fiber& fiber) {
  const auto& task = *static_cast<const Task*>(fiber.scheduled);
  const std::string_view name = Shortened(NameOf(task));
  const SourceLocation site = task.own_fiber.site();
  described_[fiber.id & (described_.size() - 1)] = {fiber.id, ring_.position()};
  ring_.Push(task.spawner, fiber.id, reinterpret_cast<std::uintptr_t>(site.file_name()),
             TraceRecord::Pack(TraceKind::kDescribe, 0, 0, static_cast<std::uint8_t>(name.size()),
                               site.line()));
  for (std::size_t at = 0; at < name.size(); at += kBytesPerRecord) {
    std::array<std::uint64_t, 3> words = {};
    std::memcpy(words.data(), name.data() + at, std::min(kBytesPerRecord, name.size() - at));
    ring_.Push(words[0], words[1], words[2], TraceRecord::Pack(TraceKind::kName));
  }
}

}  // namespace verdant::internal

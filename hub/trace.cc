#include "hub/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/internal/trace_recorder.h"
#include "hub/internal/trace_ring.h"
#include "hub/internal/trace_writer.h"

namespace verdant {

using internal::Task;

// ---- The hub's part. ----

bool Hub::StartTrace(std::shared_ptr<internal::TraceLog> log) {
  if (tracer_ != nullptr && tracer_->log() == log.get() && tracer_->wanted()) return true;
  if (tracer_ != nullptr) {
    if (tracer_->wanted()) throw std::logic_error("another Trace records this hub already");
    StopTrace();
  }
  internal::TraceRing* ring = log->RingOf(number());
  if (ring == nullptr) return false;
  tracer_ = std::make_unique<internal::TraceRecorder>(std::move(log), *ring, hub_fiber_);
  tells_of_spawns_ = true;
  tracer_->look_at = look_at_;
  look_at_ = ready_.taken();
  tracer_->Start(*internal::fiber_thread.current);
  for (auto* node = all_.front(); node != nullptr; node = all_.next(node)) {
    auto* task = static_cast<Task*>(node);
    if (task->parked()) task->state = Task::State::kParkedTraced;
  }
  return true;
}

void Hub::StopTrace() {
  if (tracer_ == nullptr) return;
  tracer_->Stop();
  look_at_ = tracer_->look_at;
  tracer_ = nullptr;
  tells_of_spawns_ = spawn_hooks_ != nullptr;
}

void Hub::NoteRename(const Task* task) {
  if (internal::current_hub != this || tracer_ == nullptr) return;
  // Not one that has not started yet or has ended.
  if (task->fiber->scheduled == task) tracer_->Rename(*task);
}

// ---- The trace. ----

Trace::Trace(std::size_t events_per_hub)
    : log_(std::make_shared<internal::TraceLog>(events_per_hub)) {}

Trace::~Trace() { Stop(); }

bool Trace::Start() { return Hub::Current().StartTrace(log_); }

bool Trace::Start(const Hub::Remote& hub) const {
  return hub.Post([log = log_, stops = log_->stops.load()] {
    if (log->stops.load() != stops) return;
    Hub& here = Hub::Current();
    here.StartTrace(log);
    // A Stop() meanwhile: it counts, then walks the rings; here a ring is added, then the count
    // read, all sequentially consistent, so that one sees the other.
    if (log->stops.load() != stops) here.StopTrace();
  });
}

void Trace::Stop() noexcept {
  log_->stops.fetch_add(1);
  for (internal::TraceRing* ring = log_->first(); ring != nullptr;
       ring = internal::TraceLog::next(ring)) {
    ring->wanted.store(false);
  }
  Hub* hub = internal::current_hub;
  if (hub != nullptr && hub->tracer() != nullptr && hub->tracer()->log() == log_.get())
    hub->StopTrace();
}

absl::Status Trace::WriteTo(const std::string& path) const {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("the trace cannot create ", path));
  int error = WriteInSignalHandler(fd);
  if (close(fd) != 0 && error == 0) error = errno;
  if (error != 0)
    return absl::ErrnoToStatus(error, absl::StrCat("the trace cannot be written to ", path));
  return absl::OkStatus();
}

absl::Status Trace::WriteTo(int fd) const {
  if (const int error = WriteInSignalHandler(fd); error != 0) {
    return absl::ErrnoToStatus(error,
                               absl::StrCat("the trace cannot be written to file descriptor ", fd));
  }
  return absl::OkStatus();
}

int Trace::WriteInSignalHandler(int fd) const noexcept { return internal::WriteTrace(*log_, fd); }

}  // namespace verdant

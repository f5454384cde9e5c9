#include "hub/internal/trace_writer.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hub/internal/task.h"
#include "hub/internal/trace_output.h"
#include "hub/internal/trace_ring.h"
#include "hub/internal/trace_scratch.h"

namespace verdant::internal {
namespace {

// Goes through the records of one ring.
class RingWriter {
 public:
  RingWriter(TraceOutput& out, const TraceRing& ring, TraceRing::Copied copied, Subjects subjects,
             TraceClock::Scale scale, std::uint64_t& arrows)
      : out_(out),
        ring_(ring),
        records_(copied.records),
        count_(copied.count),
        subjects_(subjects),
        scale_(scale),
        arrows_(arrows) {}

  // `now`, in ticks, is when what is still going on is cut off.
  void Write(std::uint64_t now) {
    NameTrack();
    for (std::size_t i = 0; i < count_; ++i) {
      if (records_[i].kind() == TraceKind::kDescribe)
        subjects_.Of(records_[i].words[1]).described = static_cast<std::uint32_t>(i + 1);
    }
    for (std::size_t i = 0; i < count_; ++i) WriteRecord(i);
    if (ring_.wanted.load(std::memory_order_relaxed)) SetTime(now);
    CloseAll();
  }

 private:
  // ---- The pieces of a line. ----

  // `,\n{"ph":"X","pid":1,"tid":2`
  void Open(char phase) {
    out_.Text(",\n{\"ph\":\"");
    out_.Put(phase);
    out_.Text("\",\"pid\":");
    out_.Number(static_cast<std::uint64_t>(getpid()));
    out_.Text(",\"tid\":");
    out_.Number(static_cast<std::uint64_t>(ring_.thread()));
  }
  void Time(std::int64_t nanos) {
    out_.Text(",\"ts\":");
    out_.Micros(nanos);
  }
  void Field(std::string_view key, std::uint64_t number) {
    out_.Put(',');
    out_.Quoted(key);
    out_.Put(':');
    out_.Number(number);
  }
  void Close() { out_.Put('}'); }

  void NameTrack() {
    Open('M');
    out_.Text(",\"name\":\"thread_name\",\"args\":{\"name\":\"");
    HubName();
    out_.Text("\"}}");
    Open('M');
    out_.Text(",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":");
    out_.Number(ring_.hub());
    out_.Text("}}");
  }
  void HubName() {
    out_.Text("hub ");
    out_.Number(ring_.hub());
    out_.Text(" (");
    out_.Escaped(ring_.thread_name());
    out_.Put(')');
  }

  // ---- Slices. ----

  // The format wants no name where a slice ends, but some readers do.
  void OpenEnd() {
    Open('E');
    Time(now_);
  }
  // Ends what is open inside of a run, then the run.
  void CloseAll() {
    CloseInner();
    if (running_) {
      OpenEnd();
      RunName();
      Close();
    }
    running_ = false;
  }
  void CloseInner() {
    if (inner_.empty()) return;
    OpenEnd();
    InnerName();
    Close();
    inner_ = {};
  }
  void OpenInner(std::string_view name) {
    CloseInner();
    inner_ = name;
    Open('B');
    Time(now_);
    out_.Text(",\"cat\":\"hub\"");
    InnerName();
  }
  void InnerName() {
    out_.Text(",\"name\":");
    out_.Quoted(inner_);
  }
  void RunName() {
    out_.Text(",\"name\":\"");
    if (running_id_ == 0) {
      out_.Text("hub");
    } else {
      WriteName(subjects_.Of(running_id_));
    }
    out_.Put('"');
  }

  // With how it stopped.
  void CloseRun(const TraceRecord& record) {
    CloseInner();
    if (!running_) return;
    running_ = false;
    OpenEnd();
    RunName();
    switch (static_cast<TraceStop>(record.a())) {
      case TraceStop::kHub:
        break;
      case TraceStop::kYielded:
        out_.Text(",\"args\":{\"then\":\"runnable\"}");
        break;
      case TraceStop::kEnded:
        out_.Text(",\"args\":{\"then\":\"ended\"}");
        break;
      case TraceStop::kParked:
        out_.Text(",\"args\":{\"then\":\"waits\",\"in\":");
        out_.Quoted(Literal(record.words[2]));
        if (static_cast<std::int32_t>(record.number()) >= 0)
          Field("file descriptor", record.number());
        Close();
        break;
    }
    Close();
  }
  void OpenRun(std::uint64_t id, bool begins) {
    running_ = true;
    if (!traced_) traced_since_ = now_;
    traced_ = true;
    running_id_ = id;
    Open('B');
    Time(now_);
    out_.Text(id == 0 ? ",\"cat\":\"hub\"" : ",\"cat\":\"green thread\"");
    RunName();
    if (id == 0) {
      Close();
      return;
    }
    Subject& subject = subjects_.Of(id);
    out_.Text(",\"args\":{\"id\":");
    out_.Number(id);
    if (subject.described != 0) {
      const TraceRecord& described = records_[subject.described - 1];
      if (described.number() != 0) {
        out_.Text(",\"spawned at\":\"");
        out_.Escaped(Literal(described.words[2]));
        out_.Put(':');
        out_.Number(described.number());
        out_.Put('"');
      }
      if (described.words[0] != 0) Field("spawned by", described.words[0]);
    }
    if (begins) out_.Text(",\"begins\":true");
    if (subject.roused != 0) WriteReason(records_[subject.roused - 1]);
    out_.Text("}}");
    WriteArrow(subject);
  }
  void WriteReason(const TraceRecord& record) {
    if (record.kind() != TraceKind::kWake) return;
    switch (static_cast<WakeReason>(record.a())) {
      case WakeReason::kNotified:
        break;
      case WakeReason::kTimedOut:
        out_.Text(",\"woken\":\"timed out\"");
        break;
      case WakeReason::kClosed:
        out_.Text(",\"woken\":\"closed\"");
        break;
      case WakeReason::kInterrupted:
        out_.Text(",\"woken\":\"interrupted\"");
        break;
    }
  }
  // What it is called, else where it comes from, else its number.
  void WriteName(const Subject& subject) {
    const std::size_t at = subject.described;
    if (at == 0) {
      out_.Text("green thread ");
      out_.Number(subject.id);
      return;
    }
    const TraceRecord& described = records_[at - 1];
    const std::size_t size = described.c();
    if (size != 0) {
      std::array<std::uint64_t, 3 * 4> bytes = {};
      std::size_t words = 0;
      for (std::size_t i = at; i < count_ && words < bytes.size(); ++i) {
        if (records_[i].kind() != TraceKind::kName) break;
        for (std::size_t w = 0; w < 3; ++w) bytes[words++] = records_[i].words[w];
      }
      out_.Escaped({reinterpret_cast<const char*>(bytes.data()),
                    std::min(size, words * sizeof(std::uint64_t))});
      return;
    }
    if (described.number() == 0) {
      out_.Text("green thread ");
      out_.Number(subject.id);
      return;
    }
    const std::string_view file = Literal(described.words[2]);
    out_.Escaped(file.substr(file.rfind('/') + 1));
    out_.Put(':');
    out_.Number(described.number());
  }
  // From whoever woke or spawned it to the run that now begins.
  void WriteArrow(Subject& subject) {
    if (subject.roused == 0) return;
    const TraceRecord& record = records_[subject.roused - 1];
    subject.roused = 0;
    const auto from = static_cast<std::int64_t>(record.words[0]);
    if (from < traced_since_) return;
    const std::string_view name = record.kind() == TraceKind::kSpawn ? "spawn" : "wake";
    const std::uint64_t arrow = ++arrows_;
    for (const char phase : {'s', 'f'}) {
      Open(phase);
      Time(phase == 's' ? from : now_);
      out_.Text(",\"cat\":\"order\",\"name\":");
      out_.Quoted(name);
      Field("id", arrow);
      if (phase == 'f') out_.Text(",\"bp\":\"e\"");
      Close();
    }
  }

  void WriteCounters(const TraceRecord& record) {
    Open('C');
    Time(now_);
    out_.Text(",\"name\":\"");
    HubName();
    out_.Text("\",\"args\":{\"runnable\":");
    out_.Number(record.words[1]);
    Field("green threads", record.words[2]);
    out_.Text("}}");
  }

  void WriteRecord(std::size_t index) {
    TraceRecord& record = records_[index];
    switch (record.kind()) {
      case TraceKind::kNothing:
      case TraceKind::kDescribe:
      case TraceKind::kName:
        return;
      case TraceKind::kWake:
      case TraceKind::kSpawn:
        SetTime(record.words[0]);
        record.words[0] = static_cast<std::uint64_t>(now_);  // where the arrow begins
        subjects_.Of(record.words[1]).roused = static_cast<std::uint32_t>(index + 1);
        return;
      case TraceKind::kStart:
        SetTime(record.words[0]);
        CloseAll();
        traced_ = false;
        OpenRun(record.words[1], false);
        return;
      case TraceKind::kStop:
        SetTime(record.words[0]);
        CloseAll();
        return;
      case TraceKind::kSwitch:
        SetTime(record.words[0]);
        CloseRun(record);
        OpenRun(record.words[1], record.b() != 0);
        return;
      case TraceKind::kTurn:
        SetTime(record.words[0]);
        WriteCounters(record);
        return;
      case TraceKind::kPollBegin:
        SetTime(record.words[0]);
        WritePoll(static_cast<std::int64_t>(record.words[1]));
        return;
      case TraceKind::kPostsBegin:
        SetTime(record.words[0]);
        if (!InHub()) return;
        OpenInner("posted calls");
        out_.Text(",\"args\":{\"calls\":");
        out_.Number(record.words[1]);
        out_.Text("}}");
        return;
      case TraceKind::kPollEnd:
      case TraceKind::kPostsEnd:
        SetTime(record.words[0]);
        CloseInner();
        return;
    }
  }
  // Whether the hub itself is known to run.
  bool InHub() const { return running_ && running_id_ == 0; }
  void WritePoll(std::int64_t timeout) {
    if (!InHub()) return;
    OpenInner(timeout == 0 ? "poll" : "sleep");
    if (timeout > 0) {
      out_.Text(",\"args\":{\"for at most us\":");
      out_.Micros(timeout);
      Close();
    }
    Close();
  }

  // Never backwards, should the cores' counters differ a little; and always on, as some counters
  // tick so rarely that an arrow would begin at the border of two slices.
  void SetTime(std::uint64_t ticks) { now_ = std::max(now_ + 1, scale_.Nanos(ticks)); }
  static std::string_view Literal(std::uint64_t word) {
    const auto* text = reinterpret_cast<const char*>(static_cast<std::uintptr_t>(word));
    return text != nullptr ? text : "";
  }

  TraceOutput& out_;
  const TraceRing& ring_;
  TraceRecord* const records_;  // a copy
  const std::size_t count_;
  Subjects subjects_;
  const TraceClock::Scale scale_;
  std::uint64_t& arrows_;
  std::int64_t now_ = 0;
  bool running_ = false;          // a run is open
  std::uint64_t running_id_ = 0;  // of the green thread; 0: the hub
  std::string_view inner_;        // and this in it
  bool traced_ = false;           // a run was ever opened, the first at traced_since_
  std::int64_t traced_since_ = 0;
};

// The process's own line, with which the others can begin with a comma.
void WriteHeader(TraceOutput& out) {
  out.Text("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":");
  out.Number(static_cast<std::uint64_t>(getpid()));
  out.Text(",\"name\":\"process_name\",\"args\":{\"name\":");
  out.Quoted(program_invocation_short_name);
  out.Text("}}");
}

}  // namespace

int WriteTrace(const TraceLog& log, int fd) noexcept {
  const int saved_errno = errno;
  TraceOutput out(fd);
  WriteHeader(out);
  int error = 0;
  std::uint64_t arrows = 0;
  const TraceClock::Scale scale = log.clock().Calibrate();
  for (const TraceRing* ring = log.first(); ring != nullptr; ring = TraceLog::next(ring)) {
    const Pages copy(ring->capacity() * sizeof(TraceRecord));
    const Pages subjects(Subjects::Bytes(ring->capacity()));
    if (!copy.ok() || !subjects.ok()) {
      error = ENOMEM;
      continue;
    }
    const TraceRing::Copied copied = ring->CopyTo(static_cast<TraceRecord*>(copy.get()));
    RingWriter(out, *ring, copied, Subjects(subjects.get(), ring->capacity()), scale, arrows)
        .Write(log.clock().Ticks());
  }
  out.Text("\n]}\n");
  out.Flush();
  errno = saved_errno;
  return out.error() != 0 ? out.error() : error;
}

}  // namespace verdant::internal

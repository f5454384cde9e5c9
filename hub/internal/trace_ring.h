#ifndef VERDANT_HUB_INTERNAL_TRACE_RING_H_
#define VERDANT_HUB_INTERNAL_TRACE_RING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "hub/internal/trace_clock.h"

namespace verdant::internal {

// What a record tells. Its words are: time in ticks, two of its own, and what TraceRecord::Pack()
// makes, unless something else is said.
enum class TraceKind : std::uint8_t {
  kNothing,
  kStart,       // who runs (its number; 0: the hub)
  kStop,        //
  kSwitch,      // who runs from now on; the operation that the last one is parked on; packed: how
                // the last one stopped, whether this one begins, the descriptor waited for
  kWake,        // who is woken, by whom; packed: reason
  kSpawn,       // who is queued, by whom
  kDescribe,    // not the time but the spawner; who; name of its file; packed: length of its name,
                // which the next records contain, and the line
  kName,        // three words of text
  kTurn,        // how many are runnable, and how many there are
  kPollBegin,   // for how many nanoseconds at most, all ones: without limit
  kPollEnd,     //
  kPostsBegin,  // how many posted calls
  kPostsEnd,    //
};

// How who ran came to run no longer.
enum class TraceStop : std::uint8_t { kHub, kYielded, kParked, kEnded };

struct TraceRecord {
  static constexpr std::size_t kWords = 4;

  static std::uint64_t Pack(TraceKind kind, std::uint8_t a = 0, std::uint8_t b = 0,
                            std::uint8_t c = 0, std::uint32_t number = 0) {
    return std::uint64_t{static_cast<std::uint8_t>(kind)} | std::uint64_t{a} << 8 |
           std::uint64_t{b} << 16 | std::uint64_t{c} << 24 | std::uint64_t{number} << 32;
  }
  TraceKind kind() const { return static_cast<TraceKind>(words[3] & 0xff); }
  std::uint8_t a() const { return static_cast<std::uint8_t>(words[3] >> 8); }
  std::uint8_t b() const { return static_cast<std::uint8_t>(words[3] >> 16); }
  std::uint8_t c() const { return static_cast<std::uint8_t>(words[3] >> 24); }
  std::uint32_t number() const { return static_cast<std::uint32_t>(words[3] >> 32); }

  std::array<std::uint64_t, kWords> words = {};
};

// The last records of one hub. Written by its thread alone; read by any thread at any time, also in
// a signal handler, without the writer's help: it may be stuck or dead.
class TraceRing {
 public:
  // Room for `records`, a power of two. The memory is the kernel's until it is written to. Throws
  // std::bad_alloc.
  TraceRing(std::size_t records, std::uint64_t hub);
  TraceRing(const TraceRing&) = delete;
  TraceRing& operator=(const TraceRing&) = delete;
  ~TraceRing();

  void Push(std::uint64_t w0, std::uint64_t w1, std::uint64_t w2, std::uint64_t w3) noexcept {
    const std::uint64_t position = position_.load(std::memory_order_relaxed);
    Slot& slot = slots_[position & mask_];
    // Releases, all of them: who reads a word of this record then finds `position` as well, and
    // knows that what was in its place is gone.
    slot[0].store(w0, std::memory_order_release);
    slot[1].store(w1, std::memory_order_release);
    slot[2].store(w2, std::memory_order_release);
    slot[3].store(w3, std::memory_order_release);
    position_.store(position + 1, std::memory_order_release);
  }
  // How many were pushed, ever. Exact on the writer's thread.
  std::uint64_t position() const { return position_.load(std::memory_order_relaxed); }
  std::size_t capacity() const { return mask_ + 1; }

  // Copies what is there to `into`, which has room for all, oldest first, and drops of it what was
  // overwritten meanwhile.
  struct Copied {
    TraceRecord* records;
    std::size_t count;
  };
  Copied CopyTo(TraceRecord* into) const noexcept;

  // ---- Whose it is. ----
  std::uint64_t hub() const { return hub_; }
  int thread() const { return thread_; }
  const char* thread_name() const { return thread_name_.data(); }
  // False: its hub is to stop at its next turn, or has.
  std::atomic<bool> wanted{true};

 private:
  friend class TraceLog;
  using Slot = std::array<std::atomic<std::uint64_t>, TraceRecord::kWords>;

  const std::size_t mask_;
  const std::uint64_t hub_;
  const int thread_;
  std::array<char, 16> thread_name_ = {};
  Slot* slots_;
  std::atomic<std::uint64_t> position_{0};
  TraceRing* next_ = nullptr;
};

// The rings of all hubs that one Trace records. Only ever grows, so that it can be walked without a
// lock.
class TraceLog {
 public:
  // So many records of each hub, rounded up to a power of two.
  explicit TraceLog(std::size_t records);
  TraceLog(const TraceLog&) = delete;
  TraceLog& operator=(const TraceLog&) = delete;
  ~TraceLog();

  // The ring of the hub of that number, made now if it has none, on its thread. Null: there are too
  // many.
  TraceRing* RingOf(std::uint64_t hub);
  // Counts how often all were told to stop.
  std::atomic<std::uint64_t> stops{0};
  TraceRing* first() const noexcept { return first_.load(); }
  static TraceRing* next(const TraceRing* ring) noexcept { return ring->next_; }

  const TraceClock& clock() const { return clock_; }
  static constexpr std::size_t kMostRings = 256;

 private:
  const std::size_t records_;
  const TraceClock clock_;
  std::atomic<std::size_t> rings_{0};
  std::atomic<TraceRing*> first_{nullptr};
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_RING_H_

#include "hub/internal/trace_ring.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <new>

namespace verdant::internal {

TraceRing::TraceRing(std::size_t records, std::uint64_t hub)
    : mask_(records - 1), hub_(hub), thread_(static_cast<int>(syscall(SYS_gettid))) {
  pthread_getname_np(pthread_self(), thread_name_.data(), thread_name_.size());
  // All zeros, which is what a Slot begins with.
  void* memory = mmap(nullptr, records * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  slots_ = static_cast<Slot*>(memory);
}

TraceRing::~TraceRing() { munmap(slots_, capacity() * sizeof(Slot)); }

TraceRing::Copied TraceRing::CopyTo(TraceRecord* into) const noexcept {
  const std::uint64_t end = position_.load(std::memory_order_acquire);
  const std::uint64_t begin = end - std::min<std::uint64_t>(end, capacity());
  for (std::uint64_t at = begin; at < end; ++at) {
    const Slot& slot = slots_[at & mask_];
    for (std::size_t i = 0; i < TraceRecord::kWords; ++i)
      into[at - begin].words[i] = slot[i].load(std::memory_order_acquire);
  }
  // The record that is being written now is not counted yet, but takes somebody's place.
  const std::uint64_t now = position_.load(std::memory_order_acquire);
  const std::uint64_t intact = now < capacity() ? 0 : now - capacity() + 1;
  const std::uint64_t lost = std::min(std::max(intact, begin) - begin, end - begin);
  return {into + lost, static_cast<std::size_t>(end - begin - lost)};
}

TraceLog::TraceLog(std::size_t records)
    : records_(std::bit_ceil(std::clamp<std::size_t>(records, 64, std::size_t{1} << 31))) {}

TraceLog::~TraceLog() {
  for (TraceRing* ring = first(); ring != nullptr;) {
    TraceRing* next = ring->next_;
    delete ring;
    ring = next;
  }
}

TraceRing* TraceLog::RingOf(std::uint64_t hub) {
  for (TraceRing* ring = first(); ring != nullptr; ring = ring->next_) {
    if (ring->hub_ == hub) return ring;
  }
  if (rings_.fetch_add(1) >= kMostRings) {
    rings_.fetch_sub(1);
    return nullptr;
  }
  auto* ring = new TraceRing(records_, hub);
  ring->next_ = first_.load(std::memory_order_relaxed);
  while (!first_.compare_exchange_weak(ring->next_, ring)) {
  }
  return ring;
}

}  // namespace verdant::internal

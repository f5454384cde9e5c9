#include "hub/internal/buffer_ring.h"

#include <sys/mman.h>

namespace verdant::internal {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

// struct io_uring_buf, which some headers that this is compiled with do not have. The last member
// of the first one is the ring's tail.
struct BufferRing::Entry {
  std::uint64_t address;
  std::uint32_t size;
  std::uint16_t id;
  std::uint16_t tail;
};

namespace {

constexpr std::size_t kRingSize = (BufferRing::kBuffers * 16 + kPage - 1) / kPage * kPage;
constexpr std::size_t kMappingSize =
    kRingSize + std::size_t{BufferRing::kBuffers} * BufferRing::kSize;

}  // namespace

std::unique_ptr<BufferRing> BufferRing::Make() {
  static_assert(sizeof(Entry) == 16);
  // Shared, so that a fork leaves the ring's page, which the kernel goes on looking at, the
  // parent's.
  void* mapping =
      mmap(nullptr, kMappingSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  std::unique_ptr<BufferRing> ring(new BufferRing(mapping));
  for (std::uint16_t id = 0; id < kBuffers; ++id) ring->GiveBack(id);
  return ring;
}

BufferRing::BufferRing(void* mapping)
    : entries_(static_cast<Entry*>(mapping)), buffers_(static_cast<char*>(mapping) + kRingSize) {}

BufferRing::~BufferRing() { munmap(entries_, kMappingSize); }

void BufferRing::GiveBack(std::uint16_t id) {
  Entry& entry = entries_[tail_ % kBuffers];
  entry.address = reinterpret_cast<std::uintptr_t>(Filled(id, kSize).data());
  entry.size = kSize;
  entry.id = id;
  __atomic_store_n(&entries_[0].tail, ++tail_, __ATOMIC_RELEASE);
}

}  // namespace verdant::internal

#ifndef VERDANT_HUB_INTERNAL_BUFFER_RING_H_
#define VERDANT_HUB_INTERNAL_BUFFER_RING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace verdant::internal {

// Buffers that an io_uring fills with what it receives, taking the next free one each time: one
// mapping of a ring that tells the kernel which are free, and of the buffers. For one thread.
class BufferRing {
 public:
  // As many as readiness is reported for in one look, so that they last for it. Large, as a message
  // in several costs more than one that fills only the first page of its own; what no message has
  // filled takes no memory.
  static constexpr std::uint16_t kBuffers = 256;
  static constexpr std::uint32_t kSize = 16384;

  // All of them free. Null if there is no memory.
  static std::unique_ptr<BufferRing> Make();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();

  // What the kernel is told when it is registered.
  const void* address() const { return entries_; }
  std::span<const char> Filled(std::uint16_t id, std::size_t size) const {
    return {buffers_ + std::size_t{id} * kSize, size};
  }
  void GiveBack(std::uint16_t id);

 private:
  struct Entry;

  explicit BufferRing(void* mapping);

  Entry* const entries_;
  char* const buffers_;
  std::uint16_t tail_ = 0;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_BUFFER_RING_H_

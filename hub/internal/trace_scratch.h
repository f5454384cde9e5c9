#ifndef VERDANT_HUB_INTERNAL_TRACE_SCRATCH_H_
#define VERDANT_HUB_INTERNAL_TRACE_SCRATCH_H_

#include <sys/mman.h>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace verdant::internal {

// Memory that a signal handler can have.
class Pages {
 public:
  explicit Pages(std::size_t bytes)
      : bytes_(bytes),
        memory_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    if (ok()) munmap(memory_, bytes_);
  }
  bool ok() const { return memory_ != MAP_FAILED; }
  void* get() const { return memory_; }

 private:
  const std::size_t bytes_;
  void* const memory_;
};

// What is known of one green thread. Places in the ring are counted from 1.
struct Subject {
  std::uint64_t id;  // 0: nobody
  std::uint32_t described;
  std::uint32_t roused;  // woken or spawned, and not run since
};

// Finds them by number. Each record has one at most, so half of it stays free.
class Subjects {
 public:
  static std::size_t Bytes(std::size_t records) { return Size(records) * sizeof(Subject); }
  Subjects(void* zeros, std::size_t records)
      : subjects_(static_cast<Subject*>(zeros)), mask_(Size(records) - 1) {}

  Subject& Of(std::uint64_t id) {
    std::size_t at = static_cast<std::size_t>(id * 0x9e3779b97f4a7c15u >> 20) & mask_;
    while (subjects_[at].id != id && subjects_[at].id != 0) at = (at + 1) & mask_;
    subjects_[at].id = id;
    return subjects_[at];
  }

 private:
  static std::size_t Size(std::size_t records) { return std::bit_ceil(2 * records + 2); }
  Subject* const subjects_;
  const std::size_t mask_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_SCRATCH_H_

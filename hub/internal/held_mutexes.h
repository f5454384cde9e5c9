#ifndef VERDANT_HUB_INTERNAL_HELD_MUTEXES_H_
#define VERDANT_HUB_INTERNAL_HELD_MUTEXES_H_

// What //hub:mutex_check notes of the calling thread, for its definitions of pthread's functions.
// Nothing here allocates or locks unless there is something to report.

namespace verdant::internal {

// In which way something is locked.
enum class LockKind {
  kAlone,
  kRecursive,  // whoever holds it may have it again, and that is the OS thread
  kShared,     // any number may have it that way
};

// Before it blocks for `mutex`, perhaps for good.
void BeforeLock(const void* mutex, LockKind kind) noexcept;
// It has been locked, by whom frame pointers tell from here on.
void AfterLock(const void* mutex, LockKind kind) noexcept;
// It is about to be unlocked.
void BeforeUnlock(const void* mutex) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_HELD_MUTEXES_H_

#ifndef VERDANT_HUB_WAIT_H_
#define VERDANT_HUB_WAIT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "hub/handle.h"
#include "hub/hub.h"

// Waiting for several things at once, green threads, events, semaphores, whatever is Linkable, in
// any mixture. Row B1.15. To wait for the hub to have nothing more to do is Hub::Join().

namespace verdant {

// What can be waited for together with others. Link(f) has f(), which does not block, called on the
// object's hub when it becomes ready, once or each time, and gives what Unlink() takes; of what is
// ready already it is not called by these here.
template <typename T>
concept Linkable = requires(T& object, absl::AnyInvocable<void()> f, std::uint64_t link) {
  { object.Link(std::move(f)) } -> std::same_as<std::uint64_t>;
  object.Unlink(link);
  { object.Ready() } -> std::convertible_to<bool>;
};

// A reference to any Linkable, which must outlive it; of a green thread, a handle.
class Waitable {
 public:
  template <Linkable T>
  requires(!std::derived_from<T, AnyGreenThread>) Waitable(T& object)  // NOLINT: a reference
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(object)))),
        operations_(&kOperationsOf<T>) {}
  Waitable(AnyGreenThread thread)  // NOLINT: a reference
      : thread_(std::move(thread)), operations_(&kOperationsOf<const AnyGreenThread>) {
    thread_.CheckCanWait();
  }

 private:
  friend class IWait;

  struct Operations {
    std::uint64_t (*link)(void*, absl::AnyInvocable<void()>);
    void (*unlink)(void*, std::uint64_t);
    bool (*ready)(void*);
  };
  template <typename T>
  static constexpr Operations kOperationsOf = {
      [](void* object, absl::AnyInvocable<void()> f) {
        return static_cast<T*>(object)->Link(std::move(f));
      },
      [](void* object, std::uint64_t link) { static_cast<T*>(object)->Unlink(link); },
      [](void* object) -> bool { return static_cast<T*>(object)->Ready(); },
  };

  void* object() { return object_ != nullptr ? object_ : &thread_; }
  // Not named as in the concept: a Waitable is no Linkable itself.
  std::uint64_t LinkObject(absl::AnyInvocable<void()> f) {
    return operations_->link(object(), std::move(f));
  }
  // A green thread whose hub has ended, or is the parent's in the child of a fork, calls no links.
  void UnlinkObject(std::uint64_t link) {
    if (object_ == nullptr && thread_.Checked()->hub != internal::current_hub) return;
    operations_->unlink(object(), link);
  }
  bool ObjectReady() { return operations_->ready(object()); }

  void* object_ = nullptr;
  AnyGreenThread thread_;
  const Operations* operations_;
};

// The places in `objects` of those that become ready, as they do; those that are ready from the
// start come first, in the order given. A single-pass range:
//
//   for (std::size_t i : IWait({worker, stop_event}, absl::Seconds(5))) …
//
// It ends when all have come, or `count` of them, or at `deadline`. When it is destroyed, early or
// not, in the child of a fork or after the hub, it leaves nothing linked. Its iterators, or Next(),
// wait in the green thread that calls; what interrupts that one loses nothing, and the loop may go
// on. Throws std::logic_error for the caller's own handle, an empty one, or one of another thread's
// hub.
class IWait {
 public:
  explicit IWait(std::vector<Waitable> objects, Deadline deadline = Deadline::Never(),
                 std::size_t count = SIZE_MAX);
  // Of any container of Linkables.
  template <typename Container>
  requires Linkable<typename Container::value_type>
  explicit IWait(Container& objects, Deadline deadline = Deadline::Never(),
                 std::size_t count = SIZE_MAX)
      : IWait(std::vector<Waitable>(objects.begin(), objects.end()), deadline, count) {}
  IWait(const IWait&) = delete;
  IWait& operator=(const IWait&) = delete;
  ~IWait();

  // The place of the next one, waiting for it if need be; nothing at the end.
  std::optional<std::size_t> Next();

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = std::size_t;
    using pointer = const std::size_t*;
    using reference = std::size_t;

    Iterator() = default;
    std::size_t operator*() const { return *place_; }
    Iterator& operator++() {
      place_ = wait_->Next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      return !it.place_.has_value();
    }

   private:
    friend class IWait;
    explicit Iterator(IWait* wait) : wait_(wait), place_(wait->Next()) {}
    IWait* wait_ = nullptr;
    std::optional<std::size_t> place_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Entry {
    Waitable object;
    std::uint64_t link = 0;
    bool linked = false;
    bool ready = false;
  };
  void OnReady(std::size_t place);
  void Unlink();

  std::vector<Entry> entries_;
  const Deadline deadline_;
  std::size_t left_;                // to be given out
  std::vector<std::size_t> ready_;  // in order; `given_` of them given out
  std::size_t given_ = 0;
  internal::Task* waiter_ = nullptr;  // in Next()
};

// The places of those that became ready, in that order: of all, or of the first `count`, or of as
// many as were by `deadline`.
std::vector<std::size_t> Wait(std::vector<Waitable> objects, Deadline deadline = Deadline::Never(),
                              std::size_t count = SIZE_MAX);
template <typename Container>
requires Linkable<typename Container::value_type> std::vector<std::size_t> Wait(
    Container& objects, Deadline deadline = Deadline::Never(), std::size_t count = SIZE_MAX) {
  return Wait(std::vector<Waitable>(objects.begin(), objects.end()), deadline, count);
}

// Waits for all; false if `deadline` came first.
bool WaitAll(std::vector<Waitable> objects, Deadline deadline = Deadline::Never());
template <typename Container>
requires Linkable<typename Container::value_type>
bool WaitAll(Container& objects, Deadline deadline = Deadline::Never()) {
  return WaitAll(std::vector<Waitable>(objects.begin(), objects.end()), deadline);
}

// Waits for one of them: its place. Nothing if `deadline` came first, or there are none.
std::optional<std::size_t> WaitAny(std::vector<Waitable> objects,
                                   Deadline deadline = Deadline::Never());
template <typename Container>
requires Linkable<typename Container::value_type> std::optional<std::size_t> WaitAny(
    Container& objects, Deadline deadline = Deadline::Never()) {
  return WaitAny(std::vector<Waitable>(objects.begin(), objects.end()), deadline);
}

}  // namespace verdant

#endif  // VERDANT_HUB_WAIT_H_

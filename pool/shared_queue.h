#ifndef VERDANT_POOL_SHARED_QUEUE_H_
#define VERDANT_POOL_SHARED_QUEUE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "hub/clock.h"
#include "hub/internal/shared_waiter.h"
#include "pool/internal/item_iterator.h"
#include "pool/queue.h"

namespace verdant {

// Items on their way from those that put to those that get, where these are the green threads of
// any hubs, or plain OS threads. Like Queue, which is many times as fast within one hub.
//
//   SharedQueue<Url> work(100);
//   group.SpawnOn(1, [&] {
//     for (Url& url : work) Visit(url);  // until it is closed and empty
//   });
//   work.Put(url);
//   work.Close();
//
// maxsize says how many items it holds before Put() waits: kUnbounded, any number; 0, none: a Put()
// and a Get() meet. Those that wait are served in the order they came, wherever they run, and
// nobody overtakes them. Where nothing is to be waited for, no call yields, nor makes a syscall but
// to wake a hub or thread that sleeps.
//
// Items are moved, under a mutex, so a T's move must not wait; other than by that, a T is used and
// destroyed by whoever holds it alone. A Get() that is killed or runs out of time takes none: one
// handed to it already goes back to the front, above maxsize if need be. A Put() that runs out of
// time leaves its item with the caller; one that is killed does, or has put it.
//
// Put and Get come in two forms, as Queue's do: without a deadline they throw QueueClosed when the
// queue is closed; with one they say by their result that it came to nothing.
//
// Threading: every function from any thread; who may wait, and how, is as for a SharedSemaphore.
// Destroyed while somebody waits it is closed to them. To be made anew in the child of a fork.
template <typename T>
class SharedQueue {
 public:
  explicit SharedQueue(std::optional<std::size_t> maxsize)
      : state_(std::make_shared<State>(maxsize.value_or(kNoLimit))) {}
  SharedQueue(const SharedQueue&) = delete;
  SharedQueue& operator=(const SharedQueue&) = delete;
  ~SharedQueue() { Close(); }

  // Waits for room and puts `item` in.
  void Put(T item) {
    if (!PutBy(item, Deadline::Never())) throw QueueClosed();
  }
  // The same by `deadline`; false, and `item` is as it was, if there was no room by then or the
  // queue is closed.
  bool Put(T&& item, Deadline deadline) { return PutBy(item, deadline); }
  bool Put(const T& item, Deadline deadline) requires std::copy_constructible<T> {
    T copy(item);
    return PutBy(copy, deadline);
  }
  // Puts `item` in if that needs no waiting: there is room, or somebody waits for it. Otherwise it
  // is as it was.
  bool TryPut(T&& item) {
    const std::shared_ptr<State> state = state_;
    internal::WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(state->mutex);
    return state->Take(item, wake_ups);
  }
  bool TryPut(const T& item) requires std::copy_constructible<T> { return TryPut(T(item)); }

  // Waits for an item and takes it out.
  T Get() {
    std::optional<T> item = Get(Deadline::Never());
    if (!item) throw QueueClosed();
    return *std::move(item);
  }
  // The same by `deadline`; nothing if there was none by then or the queue is closed and empty.
  std::optional<T> Get(Deadline deadline) {
    std::optional<T> item;
    const std::shared_ptr<State> state = state_;
    {
      internal::WakeUps wake_ups;
      const std::lock_guard<std::mutex> lock(state->mutex);
      if (state->Give(item, wake_ups) || state->closed) return item;
    }
    Place getter(*state, "SharedQueue::Get", nullptr);
    internal::WakeUps wake_ups;
    std::unique_lock<std::mutex> lock(state->mutex);
    if (state->Give(item, wake_ups) || state->closed) return item;
    state->getters.PushBack(getter);
    // Not assigned: T need not be assignable.
    if (getter.Wait(lock, deadline) == Outcome::kServed) item.emplace(*std::move(getter.got));
    return item;
  }
  // An item if one is there, or in the hands of somebody who waits in Put() with maxsize 0.
  std::optional<T> TryGet() {
    std::optional<T> item;
    const std::shared_ptr<State> state = state_;
    internal::WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(state->mutex);
    state->Give(item, wake_ups);
    return item;
  }

  // Gets items until the queue is closed and empty, as Queue's does. Several threads may iterate at
  // once, each with its own iterator: each item goes to one of them.
  using Iterator = internal::ItemIterator<SharedQueue, T>;
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

  // Takes no more items: what waits in Put() gives up, with its item. What is in it can still be
  // got; after that Get() gives up, too. Idempotent.
  void Close() { CloseWith(nullptr); }
  // The same, dropping what is in it.
  void CloseNow() {
    std::deque<T> dropped;  // destroyed when the mutex is free
    CloseWith(&dropped);
  }
  bool closed() const {
    return Look([](const State& state) { return state.closed; });
  }

  // Items in it, those of waiting Put()s not counted; who waits to get, and to put: true when
  // asked.
  std::size_t size() const {
    return Look([](const State& state) { return state.items.size(); });
  }
  bool empty() const { return size() == 0; }
  std::size_t getting() const {
    return Look([](const State& state) { return state.getters.size(); });
  }
  std::size_t putting() const {
    return Look([](const State& state) { return state.putters.size(); });
  }
  std::optional<std::size_t> maxsize() const {
    return state_->maxsize == kNoLimit ? kUnbounded : state_->maxsize;
  }

 private:
  using Outcome = internal::SharedWaiter::Outcome;
  static constexpr std::size_t kNoLimit = SIZE_MAX;

  struct Place final : internal::SharedWaiter {
    Place(internal::SharedState& state, const char* operation, T* item)
        : SharedWaiter(state, operation), offered(item) {}
    ~Place() override { this->Leave(); }
    T* const offered;      // of a Put(): with its caller
    std::optional<T> got;  // of a Get()
  };

  // Everything with the mutex held. While somebody waits to get, there is nothing to be got.
  struct State final : internal::SharedState {
    explicit State(std::size_t max) : maxsize(max) {}

    // Takes `item` from who puts it; false if there is no place for it.
    bool Take(T& item, internal::WakeUps& wake_ups) {
      if (closed) return false;
      if (auto* getter = static_cast<Place*>(getters.front())) {
        getter->got.emplace(std::move(item));
        getter->Resume(Outcome::kServed, wake_ups);
      } else if (items.size() < maxsize && putters.empty()) {
        items.push_back(std::move(item));
      } else {
        return false;
      }
      return true;
    }
    // Gives the first item to who gets it; false if there is none.
    bool Give(std::optional<T>& item, internal::WakeUps& wake_ups) {
      auto* putter = static_cast<Place*>(putters.front());
      if (!items.empty()) {
        item.emplace(std::move(items.front()));
        items.pop_front();
        if (putter == nullptr || items.size() >= maxsize) return true;
        items.push_back(std::move(*putter->offered));
      } else if (putter != nullptr) {
        item.emplace(std::move(*putter->offered));
      } else {
        return false;
      }
      putter->Resume(Outcome::kServed, wake_ups);
      return true;
    }
    void TakeBack(internal::SharedWaiter& waiter, internal::WakeUps& wake_ups) noexcept override {
      auto& place = static_cast<Place&>(waiter);
      if (!place.got) return;
      if (auto* getter = static_cast<Place*>(getters.front())) {
        getter->got.emplace(*std::move(place.got));
        getter->Resume(Outcome::kServed, wake_ups);
      } else {
        items.push_front(*std::move(place.got));
      }
      place.got.reset();
    }

    const std::size_t maxsize;
    std::deque<T> items;
    internal::SharedLine getters;
    internal::SharedLine putters;
    bool closed = false;
  };

  bool PutBy(T& item, Deadline deadline) {
    const std::shared_ptr<State> state = state_;
    {
      internal::WakeUps wake_ups;
      const std::lock_guard<std::mutex> lock(state->mutex);
      if (state->Take(item, wake_ups)) return true;
      if (state->closed) return false;
    }
    Place putter(*state, "SharedQueue::Put", &item);
    internal::WakeUps wake_ups;
    std::unique_lock<std::mutex> lock(state->mutex);
    if (state->Take(item, wake_ups)) return true;
    if (state->closed) return false;
    state->putters.PushBack(putter);
    return putter.Wait(lock, deadline) == Outcome::kServed;
  }

  void CloseWith(std::deque<T>* dropped) {
    const std::shared_ptr<State> state = state_;
    internal::WakeUps wake_ups;
    const std::lock_guard<std::mutex> lock(state->mutex);
    state->closed = true;
    if (dropped != nullptr) dropped->swap(state->items);
    for (internal::SharedLine* line : {&state->putters, &state->getters}) {
      while (internal::SharedWaiter* waiter = line->front()) {
        waiter->Resume(Outcome::kClosed, wake_ups);
      }
    }
  }

  template <typename Question>
  auto Look(Question question) const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return question(std::as_const(*state_));
  }

  const std::shared_ptr<State> state_;
};

// A SharedQueue that holds nothing: Put() and Get() meet.
template <typename T>
class SharedChannel : public SharedQueue<T> {
 public:
  SharedChannel() : SharedQueue<T>(0) {}
};

}  // namespace verdant

#endif  // VERDANT_POOL_SHARED_QUEUE_H_

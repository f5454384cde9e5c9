#ifndef VERDANT_POOL_QUEUE_H_
#define VERDANT_POOL_QUEUE_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "pool/fifo_order.h"
#include "pool/internal/crowd.h"
#include "pool/internal/item_iterator.h"
#include "pool/internal/line.h"

namespace verdant {

// The maxsize of a queue that takes whatever is put.
inline constexpr std::optional<std::size_t> kUnbounded = std::nullopt;

// A queue was closed and has nothing more to give, or takes nothing more.
class QueueClosed : public std::runtime_error {
 public:
  QueueClosed() : std::runtime_error("the queue is closed") {}
};

// Items on their way from those that put to those that get. Rows A5.1-A5.10, B5.1-B5.5. See
// Channel, and LifoQueue and PriorityQueue in queue_order.h.
//
//   Queue<Url> work(100);
//   Spawn([&] {
//     for (Url& url : work) Visit(url);  // until it is closed and empty
//   });
//   work.Put(url);
//   work.Close();
//
// maxsize says how many items it holds before Put() waits: kUnbounded, any number; 0, none: a Put()
// and a Get() meet: Put() returns when its item has been taken, or at once if it finds a Get()
// waiting to hand it to (row A5.2, decision 3). Until that Get() runs the item is in the queue, and
// if it is killed or runs out of time before, the item stays there for the next.
//
// Those that wait are served in the order they came, and nobody who would wait overtakes them
// (decision 10). A Put() that is killed or runs out of time before its item was in the queue leaves
// the item with the caller; a Get() that does takes none (row A5.7). Where nothing is to be waited
// for, no call yields (row A5.10).
//
// Put and Get come in two forms, as Event::Wait() does: without a deadline they throw QueueClosed
// when the queue is closed; with one they say by their result that it came to nothing, be it for
// the time or because the queue is closed.
//
// Threading: belongs to the thread that makes it, for the green threads of its hub; the Try
// functions also for its callbacks. Another gets a std::logic_error; without assertions (NDEBUG)
// Put, Get, Peek and TaskDone notice only when they would wake somebody. It must outlive whoever
// waits in it.
template <typename T, typename Order = FifoOrder<T>>
class Queue {
 public:
  explicit Queue(std::optional<std::size_t> maxsize) : maxsize_(maxsize.value_or(kNoLimit)) {}
  // The same with `items` put already, all of them, however many maxsize is (row B5.3).
  Queue(std::optional<std::size_t> maxsize, std::vector<T> items) : Queue(maxsize) {
    for (T& item : items) Push(item);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

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
  // Puts `item` in if that needs no waiting: there is room, or with maxsize 0 somebody waits for it
  // and no other item is on its way to them. Does not yield, either (row A5.4).
  bool TryPut(T&& item) {
    AssertThread();
    if (closed_) return false;
    const bool fits = maxsize_ == 0
                          ? Expected()
                          : Room() > putters_.called() && putters_.FirstSuspended() == nullptr;
    if (fits) Push(item);
    return fits;
  }
  bool TryPut(const T& item) requires std::copy_constructible<T> { return TryPut(T(item)); }

  // Waits for an item and takes it out.
  T Get() {
    std::optional<T> item = GetBy(Deadline::Never());
    if (!item) throw QueueClosed();
    return *std::move(item);
  }
  // The same by `deadline`; nothing if there was none by then or the queue is closed and empty.
  std::optional<T> Get(Deadline deadline) { return GetBy(deadline); }
  // An item if one is there, or in the hands of somebody waiting in Put() with maxsize 0, that no
  // Get() is due.
  std::optional<T> TryGet() {
    AssertThread();
    std::optional<T> item;
    if (Available() > getters_.called() && getters_.FirstSuspended() == nullptr) Take(item);
    return item;
  }

  // A copy of what a Get() would take, which stays where it is: the three ways as for Get(), whose
  // line a Peek() that waits stands in (row B5.3).
  T Peek() requires std::copy_constructible<T> {
    std::optional<T> item = PeekBy(Deadline::Never());
    if (!item) throw QueueClosed();
    return *std::move(item);
  }
  std::optional<T> Peek(Deadline deadline) requires std::copy_constructible<T> {
    return PeekBy(deadline);
  }
  std::optional<T> TryPeek() requires std::copy_constructible<T> {
    AssertThread();
    std::optional<T> item;
    if (Available() > getters_.called() && getters_.FirstSuspended() == nullptr) Look(item);
    return item;
  }

  // Copies of the items in it, in the order in which they would be got: what a queue that is to
  // start as this one's copy is made with (row B5.3).
  std::vector<T> Contents() const requires std::copy_constructible<T> { return items_.Contents(); }

  // Gets items until the queue is closed and empty: moving on waits for the next item and takes it,
  // the iterator keeps it. Several may iterate, each item goes to one of them. When the wait is
  // interrupted the iterator is as it was.
  using Iterator = internal::ItemIterator<Queue, T>;
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

  // Items in it, those of green threads waiting in Put() not counted.
  std::size_t size() const { return items_.size(); }
  // With maxsize 0 it is full always, and empty but for what a Put() has left for a Get() that has
  // not run yet, or never came to it.
  bool empty() const { return size() == 0; }
  bool full() const { return Room() == 0; }
  std::optional<std::size_t> maxsize() const {
    return maxsize_ == kNoLimit ? kUnbounded : maxsize_;
  }
  // Items put for which TaskDone() was not called yet (row A5.1).
  std::uint64_t unfinished() const { return unfinished_; }
  // Green threads waiting in Get() and in Put() (row A5.5).
  std::size_t getting() const { return getters_.waiting(); }
  std::size_t putting() const { return putters_.waiting(); }

  // Changes maxsize. Growing wakes as many waiting putters as now fit; shrinking keeps what is in
  // it (row A5.6, decision 14).
  void Resize(std::optional<std::size_t> maxsize) {
    CheckThread();
    maxsize_ = maxsize.value_or(kNoLimit);
    Settle();
  }

  // To be called once for each item got when its work is done, if anybody is to Join(). Throws
  // std::logic_error when called more often than items were put (row A5.9).
  void TaskDone() {
    AssertThread();
    if (unfinished_ == 0)
      throw std::logic_error("Queue::TaskDone: called more often than items were put");
    Finish(1);
  }
  // Waits until TaskDone() was called for every item ever put; at once if it was. False if
  // `deadline` came first.
  bool Join(Deadline deadline = Deadline::Never()) {
    CheckThread();
    return unfinished_ == 0 || joiners_.Wait({"Queue::Join"}, deadline);
  }

  // Takes no more items: what waits in Put() gives up. What is in it can still be got; after that
  // Get() gives up, too. Idempotent (row B5.1).
  void Close() {
    CheckThread();
    closed_ = true;
    putters_.CallAll();
    if (Available() == 0) getters_.CallAll();
  }
  // The same, dropping what is in it, as if its work were done; of some TaskDone() may have said so
  // already.
  void CloseNow() {
    CheckThread();
    const Order dropped = std::exchange(items_, Order());
    Finish(std::min<std::uint64_t>(dropped.size(), unfinished_));
    Close();
  }
  bool closed() const { return closed_; }

 private:
  static constexpr std::size_t kNoLimit = SIZE_MAX;

  // Whoever leaves a line may have been called in vain.
  struct Getter : internal::Line::Place {
    Getter(Queue& q, internal::Task* task, bool t) : Place(q.getters_, task), queue(q), takes(t) {
      queue.SettleNewcomer();
    }
    ~Getter() {
      this->Leave();
      queue.Settle();
    }
    Queue& queue;
    const bool takes;  // rather than looks
  };
  struct Putter : internal::Line::Place {
    Putter(Queue& q, internal::Task* task, T& i) : Place(q.putters_, task), queue(q), item(i) {
      queue.SettleNewcomer();
    }
    ~Putter() {
      this->Leave();
      queue.Settle();
    }
    Queue& queue;
    T& item;
    bool taken = false;  // handed over without a stay in the queue
  };

  // Throws on another thread than its own: for what is called rarely.
  void CheckThread() const { home_.Check("a Queue"); }
  // The same for what is called often, where it would cost some percent: in builds with assertions
  // only. In others it is the waking of somebody who waits that is refused.
  [[gnu::always_inline]] void AssertThread() const {
#ifndef NDEBUG
    CheckThread();
#endif
  }

  // What a Put() may add now.
  std::size_t Room() const { return maxsize_ > items_.size() ? maxsize_ - items_.size() : 0; }
  // With maxsize 0: somebody waits in Get() for an item that is not on its way yet.
  bool Expected() const {
    if (maxsize_ != 0) return false;
    const auto* getter = static_cast<const Getter*>(getters_.FirstSuspended());
    return getter != nullptr && getter->takes;
  }
  // What a Get() may find now. Of the putters of a rendezvous some may be on their way out; then
  // there is less.
  std::size_t Available() const {
    if (maxsize_ != 0 || closed_) return items_.size();
    return items_.size() + putters_.size();
  }
  [[gnu::always_inline]] void Settle() {
    if (getters_.waiting() + putters_.waiting() != 0) SettleWaiting();
  }
  // For one that has just come: while it is alone, there is nobody to call.
  [[gnu::always_inline]] void SettleNewcomer() {
    if (getters_.size() + putters_.size() != 1) [[unlikely]]
      SettleWaiting();
  }
  void SettleWaiting() {
    getters_.CallUpTo(Available());
    putters_.CallUpTo(Room());
    if (closed_ && Available() == 0) [[unlikely]]
      getters_.CallAll();
  }

  void Push(T& item) {
    items_.Push(std::move(item));
    ++unfinished_;
    Settle();
  }

  bool PutBy(T& item, Deadline deadline) {
    AssertThread();
    if (closed_) return false;
    if (putters_.empty() && (Room() > 0 || Expected())) {
      Push(item);
      return true;
    }
    Putter putter(*this, Hub::Current().CurrentTask(), item);
    for (;;) {
      const internal::WakeReason reason = putter.Wait(deadline);
      if (putter.taken) return true;
      if (closed_) return false;
      if (putter.called() && Room() > 0) {
        Push(item);
        return true;
      }
      if (reason == internal::WakeReason::kTimedOut) return false;
      putter.Return();
      // A getter may have looked past it while it was awake, and it is there to be taken from now.
      Settle();
    }
  }

  // Takes the first item that can be had.
  void Take(std::optional<T>& item) {
    if (items_.size() > 0) {
      item.emplace(items_.Pop());
      Settle();
    } else if (maxsize_ == 0 && !closed_) {
      auto* putter = static_cast<Putter*>(putters_.FirstSuspended());
      if (putter == nullptr) return;
      item.emplace(std::move(putter->item));
      ++unfinished_;
      putter->taken = true;
      putter->Leave();
      putter->task->hub->Wake(putter->task);
    }
  }

  // Copies the item that Take() would take.
  void Look(std::optional<T>& item) const {
    if (items_.size() > 0) {
      item.emplace(items_.Next());
    } else if (maxsize_ == 0 && !closed_) {
      const auto* putter = static_cast<const Putter*>(putters_.FirstSuspended());
      if (putter != nullptr) item.emplace(putter->item);
    }
  }

  std::optional<T> GetBy(Deadline deadline) {
    return By(deadline, /*takes=*/true, [this](std::optional<T>& item) { Take(item); });
  }
  std::optional<T> PeekBy(Deadline deadline) {
    return By(deadline, /*takes=*/false, [this](std::optional<T>& item) { Look(item); });
  }
  // Waits until `access` has found an item.
  template <typename Access>
  [[gnu::always_inline]] std::optional<T> By(Deadline deadline, bool takes, Access access) {
    AssertThread();
    std::optional<T> item;
    if (getters_.empty()) {
      access(item);
      if (item) return item;
    }
    if (closed_ && Available() == 0) return item;
    Getter getter(*this, Hub::Current().CurrentTask(), takes);
    for (;;) {
      const internal::WakeReason reason = getter.Wait(deadline);
      if (getter.called()) access(item);
      if (item || reason == internal::WakeReason::kTimedOut || (closed_ && Available() == 0))
        return item;
      getter.Return();
    }
  }

  void Finish(std::uint64_t count) {
    unfinished_ -= count;
    if (unfinished_ == 0) joiners_.WakeAll();
  }

  std::size_t maxsize_;
  Order items_;
  internal::Line getters_{"Queue::Get"};
  internal::Line putters_{"Queue::Put"};
  internal::Crowd joiners_;
  std::uint64_t unfinished_ = 0;
  bool closed_ = false;
  internal::HomeThread home_;
};

// A Queue that has room for nothing: Put() and Get() meet (decision 3).
template <typename T>
class Channel : public Queue<T> {
 public:
  Channel() : Queue<T>(0) {}

  // Who waits to put less who waits to get (row B5.2). An item left behind by a Get() that was
  // killed counts on neither side.
  std::ptrdiff_t balance() const {
    return static_cast<std::ptrdiff_t>(this->putting()) -
           static_cast<std::ptrdiff_t>(this->getting());
  }
};

// A link that puts `item` into `queue` when a green thread ends, waiting for room if need be; it is
// dropped if the queue is closed. Rows B1.8, B5.3.
//
//   Queue<AnyGreenThread> ended(kUnbounded);
//   for (const AnyGreenThread& thread : threads) thread.Link(PutInto(ended, thread));
template <typename T, typename Order>
auto PutInto(Queue<T, Order>& queue, std::type_identity_t<T> item) {
  return [&queue, item = std::move(item)]() mutable {
    static_cast<void>(queue.Put(std::move(item), Deadline::Never()));
  };
}

}  // namespace verdant

#endif  // VERDANT_POOL_QUEUE_H_

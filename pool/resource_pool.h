#ifndef VERDANT_POOL_RESOURCE_POOL_H_
#define VERDANT_POOL_RESOURCE_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hub/hub.h"
#include "hub/internal/home_thread.h"
#include "pool/internal/line.h"

namespace verdant {

struct ResourcePoolOptions {
  std::size_t min_size = 0;     // made by the constructor
  std::size_t max_size = 4;     // of those that exist at a time, in use or not
  bool order_as_stack = false;  // take what was put last, instead of what was put first
};

// A bounded number of expensive things that green threads take and give back; made when first
// needed. Rows A4.1-A4.4.
//
//   ResourcePool<Parser> parsers([] { return Parser::Load("grammar"); }, {.max_size = 8});
//   absl::StatusOr<ResourcePool<Parser>::Lease> parser = parsers.Item();
//   if (!parser.ok()) return parser.status();
//   (*parser)->Parse(text);
//
// Those that wait are served in the order they came. A Get() that is killed or runs out of time has
// taken nothing, nor has one whose resource could not be made: its share is offered to the next one
// in line (decision 19).
//
// T can be moved. Threading: belongs to the thread that makes it, for the green threads of its hub;
// what does not wait also for its callbacks. On another, taking throws std::logic_error, and so
// does giving back while somebody waits. It must outlive its leases and whoever waits in it.
template <typename T>
class ResourcePool {
 public:
  // Makes one; called in the green thread that gets it, may wait, may throw.
  using Create = absl::AnyInvocable<absl::StatusOr<T>()>;

  // `create` returns T or absl::StatusOr<T>. One of min_size that fails with a status is left for a
  // Get() to make; an exception is thrown from here. Throws std::logic_error if min_size is more
  // than max_size.
  template <typename F>
  requires std::is_invocable_r_v<absl::StatusOr<T>, F&> explicit ResourcePool(
      F create, ResourcePoolOptions options = {})
      : create_(std::move(create)),
        max_size_(options.max_size),
        order_as_stack_(options.order_as_stack) {
    if (options.min_size > options.max_size) {
      throw std::logic_error("ResourcePool: min_size is more than max_size");
    }
    while (live_ < options.min_size) {
      absl::StatusOr<T> made = create_();
      if (!made.ok()) break;
      ++live_;
      idle_.push_back(*std::move(made));
    }
  }
  ResourcePool(const ResourcePool&) = delete;
  ResourcePool& operator=(const ResourcePool&) = delete;

  // Takes an idle one, or makes one if fewer than max_size exist, or else waits for one. The error
  // of its making, or DeadlineExceeded if `deadline` came first; the deadline does not bound the
  // making. Put() or Forget() is owed for each one got.
  absl::StatusOr<T> Get(Deadline deadline = Deadline::Never()) {
    absl::StatusOr<std::optional<T>> item = Reserve(deadline);
    if (!item.ok()) return item.status();
    if (*item) return **std::move(item);
    return Make();
  }
  // Get() for who makes them: an idle one, or nothing, and that is the right to make one. Put() or
  // Forget() is owed in either case.
  absl::StatusOr<std::optional<T>> Reserve(Deadline deadline = Deadline::Never()) {
    CheckThread();
    std::optional<T> item;
    if (Admit(item, deadline)) return item;
    return absl::DeadlineExceededError(
        absl::StrCat("ResourcePool::Get: all ", live_, " resources are in use"));
  }

  // Gives back one that was got; never waits (row A4.3). It is dropped if there are too many after
  // a Resize(). Throws std::logic_error if none is out.
  void Put(T item) {
    CheckOut("Put");
    if (live_ > max_size_) {
      --live_;
    } else {
      idle_.push_back(std::move(item));
    }
    Settle();
  }
  // One that was got will not come back: another may be made in its place.
  void Forget() {
    CheckOut("Forget");
    --live_;
    Settle();
  }

  // Holds one for a scope.
  class Lease {
   public:
    Lease() = default;
    Lease(ResourcePool& pool, T item) : pool_(&pool), item_(std::move(item)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), item_(std::move(other.item_)) {}
    Lease& operator=(Lease&& other) noexcept {
      if (this == &other) return *this;
      Return();
      pool_ = std::exchange(other.pool_, nullptr);
      item_.reset();
      if (pool_ != nullptr) item_.emplace(*std::move(other.item_));
      return *this;
    }
    ~Lease() { Return(); }

    T& operator*() { return *item_; }
    T* operator->() { return &*item_; }
    // Holds one still.
    explicit operator bool() const { return pool_ != nullptr; }

    // Puts it back now; idempotent.
    void Return() {
      if (pool_ != nullptr) std::exchange(pool_, nullptr)->Put(*std::move(item_));
    }
    // Drops it instead: it is not fit to be used again. Idempotent.
    void Discard() {
      if (pool_ == nullptr) return;
      item_.reset();
      std::exchange(pool_, nullptr)->Forget();
    }

   private:
    ResourcePool* pool_ = nullptr;
    std::optional<T> item_;
  };

  // Get() for a scope.
  absl::StatusOr<Lease> Item(Deadline deadline = Deadline::Never()) {
    absl::StatusOr<T> item = Get(deadline);
    if (!item.ok()) return item.status();
    return Lease(*this, *std::move(item));
  }

  // Changes max_size. Growing serves as many that wait as now fit; when shrinking, idle ones that
  // are too many are dropped here, those in use when they come back (row A4.3, decision 14).
  void Resize(std::size_t max_size) {
    CheckThread();
    max_size_ = max_size;
    std::vector<T> dropped;
    while (live_ > max_size_ && !idle_.empty()) {
      dropped.push_back(TakeIdle());
      --live_;
    }
    Settle();
  }

  // Drops the idle ones for which `unfit(item)` holds, and returns them.
  template <typename Predicate>
  std::vector<T> TakeIdleIf(Predicate unfit) {
    std::vector<T> taken;
    if (std::none_of(idle_.begin(), idle_.end(), unfit)) return taken;
    std::deque<T> kept;
    for (T& item : idle_) {
      if (unfit(std::as_const(item))) {
        taken.push_back(std::move(item));
      } else {
        kept.push_back(std::move(item));
      }
    }
    idle_.swap(kept);
    live_ -= taken.size();
    Settle();
    return taken;
  }
  // Calls visit(item) for each idle one.
  template <typename Visitor>
  void ForEachIdle(Visitor visit) const {
    for (const T& item : idle_) visit(item);
  }

  // How many a Get() could have now, idle or to be made; negative after a Resize() below what is in
  // use.
  std::int64_t Free() const {
    return static_cast<std::int64_t>(idle_.size()) + static_cast<std::int64_t>(max_size_) -
           static_cast<std::int64_t>(live_);
  }
  // Green threads waiting in Get().
  std::size_t Waiting() const { return getters_.waiting(); }
  // Those not in use.
  std::size_t idle() const { return idle_.size(); }
  // Those that exist or are being made.
  std::size_t size() const { return live_; }
  std::size_t max_size() const { return max_size_; }

 private:
  struct Getter : internal::Line::Place {
    Getter(ResourcePool& p, internal::Task* task) : Place(p.getters_, task), pool(p) {}
    // Whoever leaves the line may have been called in vain.
    ~Getter() {
      this->Leave();
      pool.Settle();
    }
    ResourcePool& pool;
  };

  void CheckThread() const { home_.Check("a ResourcePool"); }
  void CheckOut(const char* operation) const {
    getters_.CheckThread();
    if (live_ > idle_.size()) return;
    throw std::logic_error(absl::StrCat("ResourcePool::", operation, ": none is in use"));
  }
  std::size_t Available() const {
    return idle_.size() + (max_size_ > live_ ? max_size_ - live_ : 0);
  }
  void Settle() { getters_.CallUpTo(Available()); }

  T TakeIdle() {
    if (order_as_stack_) {
      T item = std::move(idle_.back());
      idle_.pop_back();
      return item;
    }
    T item = std::move(idle_.front());
    idle_.pop_front();
    return item;
  }
  // Takes an idle one, or the right to make one.
  void Take(std::optional<T>& item) {
    if (idle_.empty()) {
      ++live_;
    } else {
      item.emplace(TakeIdle());
    }
  }
  bool Admit(std::optional<T>& item, Deadline deadline) {
    if (getters_.empty() && Available() > 0) {
      Take(item);
      return true;
    }
    Getter getter(*this, Hub::Current().CurrentTask());
    for (;;) {
      const internal::WakeReason reason = getter.Wait(deadline);
      if (getter.called() && Available() > 0) {
        Take(item);
        return true;
      }
      if (reason == internal::WakeReason::kTimedOut) return false;
      getter.Return();
    }
  }
  // Gives the right to make one back unless one was made.
  absl::StatusOr<T> Make() {
    struct Right {
      ResourcePool* pool;
      ~Right() {
        if (pool != nullptr) pool->Forget();
      }
    } right{this};
    absl::StatusOr<T> made = create_();
    if (made.ok()) right.pool = nullptr;
    return made;
  }

  Create create_;
  std::size_t max_size_;
  const bool order_as_stack_;
  std::deque<T> idle_;
  std::size_t live_ = 0;  // idle, in use and being made
  internal::Line getters_{"ResourcePool::Get"};
  internal::HomeThread home_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_RESOURCE_POOL_H_

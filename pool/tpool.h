#ifndef VERDANT_POOL_TPOOL_H_
#define VERDANT_POOL_TPOOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "pool/thread_pool.h"

// The thread pool that every hub has: for single calls that would block the hub. Rows A8.1-A8.7.
namespace verdant::tpool {

// The calling thread's pool, or null if it is not in use. Makes nothing.
ThreadPool* PoolInUse();

}  // namespace verdant::tpool

namespace verdant::internal {

// Deletes what a tpool::Proxy stands for.
template <typename T>
struct DestroyInPool {
  void operator()(T* object) const noexcept {
    std::unique_ptr<T> owned(object);
    ThreadPool* const pool = tpool::PoolInUse();
    if (pool == nullptr) return;
    try {
      pool->Destroy(std::move(owned));
    } catch (...) {
      // There was no thread, or no memory, for it, and it has gone here.
    }
  }
};

}  // namespace verdant::internal

namespace verdant::tpool {

// Threads when neither SetNumThreads() nor the environment says otherwise.
inline constexpr std::int64_t kDefaultNumThreads = 20;

// The calling thread's pool, made on first use and gone with the thread, always the same object.
// Its size is what SetNumThreads() said, else $VERDANT_THREADPOOL_SIZE, else 20; a variable that is
// no such number throws std::logic_error. Idle threads end after 5 seconds.
ThreadPool& Pool();

// The size of the calling thread's pool, 0 for calls made inline. Throws std::logic_error if it is
// negative, or the pool is in use already (row A8.2).
void SetNumThreads(std::int64_t threads);

// f(args...) on an OS thread while the calling green thread, and no other, waits: its result, or
// throws what it throws. See ThreadPool::Apply(), also for what an interrupted wait means (rows
// A8.1, A8.3).
template <typename F, typename... Args>
decltype(auto) Execute(F&& f, Args&&... args) {
  if (ThreadPool::OnWorkerThread()) {
    internal::CheckCallable<std::decay_t<F>>(f);
    auto body = internal::Bind(std::forward<F>(f), std::forward<Args>(args)...);
    return static_cast<std::invoke_result_t<decltype(body)&>>(body());
  }
  return Pool().Apply(std::forward<F>(f), std::forward<Args>(args)...);
}
// The same by `deadline`, as ThreadPool::ApplyBy() does it: throws PoolFull or TimeoutExpired.
template <typename F, typename... Args>
decltype(auto) ExecuteBy(Deadline deadline, F&& f, Args&&... args) {
  if (ThreadPool::OnWorkerThread()) {
    return Execute(std::forward<F>(f), std::forward<Args>(args)...);
  }
  return Pool().ApplyBy(deadline, std::forward<F>(f), std::forward<Args>(args)...);
}

// Ends the calling thread's pool: waits until its threads have done what was asked for, and
// delivers it; false if `deadline` came first. The next Execute() starts new threads, whose number
// may be set anew (row A8.5). Several may do so at once. Not in a call that the pool makes:
// std::logic_error.
bool KillAll(Deadline deadline = Deadline::Never());

// An object whose members are called on OS threads (row A8.4). C++ cannot list a type's members, so
// the call is spelled out:
//
//   tpool::Proxy<Database> db(std::in_place, "file.db");
//   Rows rows = db.Call(&Database::Query, "select 1");
//   int n = db.Call([](Database& d) { return d.Begin() + d.Count(); });  // two steps, one trip
//
// Copies refer to the same object, which is destroyed with the last of them, or after the last call
// under way, if that is later. Two green threads that call at once call from two OS threads at
// once: an object that does not bear that needs a lock around the calls.
//
// It may be made on an OS thread, too, and is destroyed on one: where the last copy goes, that only
// hands it to the calling thread's pool, as a call for which nobody waits. It is destroyed there
// and then where there is no such pool in use: on a thread that has used none or whose pool has
// ended before, in a forked child, on a thread of a pool, with SetNumThreads(0).
template <typename T>
class Proxy {
 public:
  // Of a T(args...), made here.
  template <typename... Args>
  explicit Proxy(std::in_place_t, Args&&... args)
      : object_(new T(std::forward<Args>(args)...), internal::DestroyInPool<T>()) {}
  // Of an object that is destroyed as its owner has arranged it.
  explicit Proxy(std::shared_ptr<T> object) : object_(std::move(object)) {}
  // Of a T(args...) made on an OS thread, as Execute() would make it. The arguments are copied.
  template <typename... Args>
  static Proxy Make(Args&&... args) {
    return Execute(
        [](auto&&... own) { return Proxy(std::in_place, std::forward<decltype(own)>(own)...); },
        std::forward<Args>(args)...);
  }

  // member(object, args...), where `member` may also be any function that takes a T& first. The
  // arguments are copied.
  template <typename Member, typename... Args>
  decltype(auto) Call(Member&& member, Args&&... args) const {
    return Execute(Bound<Member>(std::forward<Member>(member)), std::forward<Args>(args)...);
  }
  // The same, with the result wrapped in a Proxy of its own, still on the OS thread: a cursor of a
  // connection.
  template <typename Member, typename... Args>
  auto Wrap(Member&& member, Args&&... args) const {
    return Execute(
        [call = Bound<Member>(std::forward<Member>(member))](auto&&... own) mutable {
          using Result = std::decay_t<decltype(call(std::forward<decltype(own)>(own)...))>;
          return Proxy<Result>(std::in_place, call(std::forward<decltype(own)>(own)...));
        },
        std::forward<Args>(args)...);
  }
  // The same on the calling thread: for what is known not to block.
  template <typename Member, typename... Args>
  decltype(auto) CallInline(Member&& member, Args&&... args) const {
    return std::invoke(std::forward<Member>(member), *object_, std::forward<Args>(args)...);
  }

  T& object() const { return *object_; }
  friend bool operator==(const Proxy&, const Proxy&) = default;  // of the same object

 private:
  template <typename Member>
  auto Bound(Member&& member) const {
    return [object = object_, member = std::decay_t<Member>(std::forward<Member>(member))](
               auto&&... args) mutable -> decltype(auto) {
      return std::invoke(member, *object, std::forward<decltype(args)>(args)...);
    };
  }

  std::shared_ptr<T> object_;
};

}  // namespace verdant::tpool

#endif  // VERDANT_POOL_TPOOL_H_

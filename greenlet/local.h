#ifndef VERDANT_GREENLET_LOCAL_H_
#define VERDANT_GREENLET_LOCAL_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "greenlet/internal/locals.h"

namespace verdant {

// A variable of which every greenlet, every green thread and every thread's main has its own. Rows
// A9.1, B14.
//
//   verdant::GreenLocal<std::string> user("nobody");   // the arguments of T's constructor
//   verdant::GreenLocal<Client> client([] { return Client(Connect()); });   // or what makes a T
//   *user = "alice";   // of the running green thread; "nobody" in all others
//
// Made on first touch, where it is touched, from the stored arguments or by the stored function,
// each time anew; if that throws, there is no value and the next touch tries again. Destroyed when
// its greenlet or green thread ends, on that one's own stack (after the links of a green thread and
// before those wake that wait for it), newest first; that of a thread's main with the thread's
// thread-local objects, when its hub has gone and nothing can block any more. Values never pass to
// greenlets and green threads started from here: that is ContextVar's work (context.h). What hub
// callbacks touch belongs to the hub. Those of green threads and greenlets abandoned at their
// thread's exit go with the GreenLocal.
//
// Destroying the GreenLocal destroys all values that are left, oldest first, on the calling thread;
// nobody may be using them then. A destructor that touches a GreenLocal gets a value, new if need
// be, which is destroyed in its turn.
//
// Access from any thread; it takes no lock and does no hashing, two loads and two comparisons once
// the value is there. Making and destroying a value takes a lock of the GreenLocal.
template <typename T>
class GreenLocal {
 public:
  // T's constructor arguments, of which copies are kept; each value is made from those as const.
  // Throws what copying them throws.
  template <typename... Args>
  requires std::constructible_from < T, const std::decay_t<Args>
  &... > explicit GreenLocal(Args&&... args)
      : make_([args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)] {
          return std::apply([](const auto&... each) { return new T(each...); }, args);
        }) {}

  // A function that returns a T; called with no lock held, it may block.
  template <typename F>
  requires(!std::constructible_from<T, const std::decay_t<F>&> &&
           std::is_invocable_r_v<T, std::decay_t<F>&>) explicit GreenLocal(F&& factory)
      : make_([factory = std::decay_t<F>(std::forward<F>(factory))]() mutable {
          return new T(factory());
        }) {}

  GreenLocal(const GreenLocal&) = delete;
  GreenLocal& operator=(const GreenLocal&) = delete;
  ~GreenLocal() { internal::EndLocalKey(*key_); }

  // The caller's own. The reference is good until the caller ends or calls Reset().
  T& Get() {
    void* object = internal::FindLocal(*key_);
    if (object == nullptr) [[unlikely]]
      object = Make();
    return *static_cast<T*>(object);
  }
  T& operator*() { return Get(); }
  T* operator->() { return &Get(); }

  // The caller's own if it has been touched, else null.
  T* Find() { return static_cast<T*>(internal::FindLocal(*key_)); }

  // Destroys the caller's own; the next touch makes another.
  void Reset() { internal::RemoveLocal(*key_); }

 private:
  [[gnu::noinline]] void* Make() {
    std::unique_ptr<T> made(make_());
    // What makes it may have touched it.
    if (void* object = internal::FindLocal(*key_); object != nullptr) return object;
    internal::AddLocal(key_, made.get());
    return made.release();
  }
  static void Destroy(void* object) noexcept { delete static_cast<T*>(object); }

  std::function<T*()> make_;
  std::shared_ptr<internal::LocalKey> key_ = internal::MakeLocalKey(&Destroy);
};

// A number that no other greenlet, green thread or thread of the process has had or will have; the
// same for as long as the caller lives. Never 0 (row A9.1).
inline std::uint64_t GetIdent() { return internal::CurrentIdent(); }

}  // namespace verdant

#endif  // VERDANT_GREENLET_LOCAL_H_

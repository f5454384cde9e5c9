#ifndef VERDANT_HUB_HANDLE_H_
#define VERDANT_HUB_HANDLE_H_

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/source_location.h"
#include "hub/hub.h"
#include "hub/timeout.h"

namespace verdant {

// How far a green thread has come (row B1.2).
enum class GreenThreadState : std::uint8_t {
  kUnstarted,  // made by Prepare(), and Start() has not been called
  kPending,    // to start at the hub's next turn, or when its delay is over
  kRunning,    // its body has begun and not ended
  kSucceeded,  // its body returned
  kFailed,     // an exception left its body
  kKilled,     // a GreenletExit did
  kCancelled,  // ended before its body began, which then never runs
};

class AnyGreenThread;

namespace internal {
void StartLaterWithSpawner(const AnyGreenThread& thread, absl::Duration delay);

template <typename F, typename R>
inline constexpr bool kTakesResult = std::invocable<F&, std::add_lvalue_reference_t<R>>;
template <typename F>
inline constexpr bool kTakesResult<F, void> = false;
}  // namespace internal

// A handle on a green thread, whatever it returns. Copies refer to the same green thread; dropping
// the last one neither ends nor detaches it, unless it was never started: then it is destroyed
// unrun. Rows A1.6-A1.14, B1.2-B1.10.
//
// Threading: handles belong to the thread of their hub. Whatever acts on the green thread throws
// std::logic_error on another thread, as everything does for an empty handle.
class AnyGreenThread {
 public:
  AnyGreenThread() = default;
  AnyGreenThread(const AnyGreenThread& other) noexcept : task_(other.task_) {
    if (task_ != nullptr) Hub::Ref(task_);
  }
  AnyGreenThread(AnyGreenThread&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  AnyGreenThread& operator=(AnyGreenThread other) noexcept {
    std::swap(task_, other.task_);
    return *this;
  }
  ~AnyGreenThread() {
    if (task_ != nullptr) Hub::Unref(task_);
  }

  // ---- Starting what Prepare() made. ----

  // Has it start at the hub's next turn. False, and without effect, if it was started before, is
  // pending or has ended: nothing starts twice (row B1.4).
  bool Start() const;
  // The same once `delay` has passed.
  bool StartLater(absl::Duration delay) const;

  // ---- Waiting. ----

  // Waits until it has ended, however it did; false if `deadline` came first. Throws
  // std::logic_error when a green thread joins itself, and in a hub callback if it would wait.
  bool Join(Deadline deadline = Deadline::Never()) const;

  // ---- Ending it. ----

  // Throws `exception` inside it, from whatever it waits for, a Greenlet::Switch() included, before
  // anything else runs, while the caller waits for the hub's next turn. It may catch it and live
  // on. One that has not started never runs, but its links fire and its waiters wake. In one of
  // which only links still run it ends the link that waits, and the others run. No effect on one
  // that has ended altogether. Killing oneself throws here and now. In a hub callback, where
  // nothing can wait, it is the same without the waiting (rows A1.10, A1.11; decisions 1, 16).
  void Kill(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;
  // Never waits: `exception` is thrown when its turn comes, behind what is runnable now; in oneself
  // by the next call that blocks (row B1.5).
  void KillSoon(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;
  // Kill(), then waits until it has ended, its links included; false if `deadline` came first.
  // Throws std::logic_error in a hub callback (row B1.5).
  bool KillAndJoin(Deadline deadline = Deadline::Never()) const {
    return KillAndJoin(std::make_exception_ptr(GreenletExit()), deadline);
  }
  bool KillAndJoin(std::exception_ptr exception, Deadline deadline = Deadline::Never()) const;
  // Kill(), but only if it has not started: false, and without effect, otherwise (row A1.12).
  bool Cancel(std::exception_ptr exception = std::make_exception_ptr(GreenletExit())) const;

  // ---- Links: what is called when it ends. ----

  // Calls `link` when it ends, on its own stack, before those wake that wait for it already; links
  // run in the order they were added, those included that a link adds. If it has ended already,
  // `link` is called at once, and goes on with what is aimed at the caller meanwhile. What a link
  // throws goes to the hub's error handler, but for GreenletExit, which ends it silently, and keeps
  // nothing else from running. Returns what Unlink() takes, never 0; 0 if `link` was called at
  // once. Throws std::logic_error if `link` is empty. Rows A1.7, A1.8, B1.8, decision 6.
  std::uint64_t Link(absl::AnyInvocable<void()> link) const {
    return AddLink(std::move(link), true);
  }
  // The same for `link(thread)`.
  template <typename F>
  requires std::invocable<F&, AnyGreenThread> std::uint64_t Link(F link)
  const { return AddLink(WithHandle<AnyGreenThread>(std::move(link)), true); }
  // Link() for a green thread that ends otherwise than by returning: `link(error)` with a
  // std::exception_ptr, `link(thread)` or `link()`, whichever it can be called as.
  template <typename F>
  std::uint64_t LinkException(F link) const {
    return AddLink(OnException<AnyGreenThread>(std::move(link)), true);
  }
  // True if the link was still to be called, and now is not (row A1.9).
  bool Unlink(std::uint64_t link) const;
  // Removes all links, those of whoever waits for several things (hub/wait.h) included.
  void UnlinkAll() const;
  // A link is still to be called.
  bool HasLinks() const;

  // ---- How it is doing. ----

  GreenThreadState State() const;
  // Its body has begun, at some time.
  bool Started() const { return Checked()->started; }
  // To start or running: what a gevent greenlet is true for.
  bool Alive() const;
  // Its body has ended: the result or error is there, links may still run.
  bool Ready() const { return Checked()->finished; }
  // It has ended altogether, links included.
  bool Dead() const { return Checked()->state == internal::Task::State::kDone; }
  // It has ended by returning.
  bool Successful() const { return Ready() && !task_->failed(); }
  // A GreenletExit ended it: that is neither success nor a failure to be reported (decision 1, rows
  // A1.13, B1.3).
  bool Killed() const;
  // What ended it; null while it runs and after a normal return.
  std::exception_ptr Error() const;

  // ---- What it is called and where it comes from. ----

  const AnyGreenThread& SetName(std::string_view name) const;
  // The name it was given, or "GreenThread-N" with its MinimalIdent() (row B1.10).
  std::string Name() const;
  // The smallest number from 0 on that no other green thread of this hub had when this one was
  // first asked for its; free again when the last handle is gone and it has ended.
  std::uint64_t MinimalIdent() const;
  // "green thread 12 'name' spawned at file:line", for reports and dumps.
  std::string Description() const { return Hub::Describe(Checked()); }
  // Counts up with each spawn of its hub; never used twice.
  std::uint64_t id() const { return Checked()->own_fiber.id; }
  // The id() of whoever spawned it; 0 for a hub callback. Row B1.11.
  std::uint64_t SpawnerId() const { return Checked()->spawner; }
  // A handle on whoever spawned it, or an empty one if that has ended. Looks at every green thread
  // of the hub.
  AnyGreenThread Spawner() const;
  // Where it was spawned; line() is 0 if nobody said.
  SourceLocation SpawnSite() const { return Checked()->own_fiber.site(); }

  explicit operator bool() const { return task_ != nullptr; }
  friend bool operator==(const AnyGreenThread&, const AnyGreenThread&) = default;

  // Takes over one reference.
  explicit AnyGreenThread(internal::Task* task) : task_(task) {}

 protected:
  friend class Waitable;
  friend void internal::StartLaterWithSpawner(const AnyGreenThread& thread, absl::Duration delay);
  friend class JoinedScope;
  friend class Scope;
  friend bool KillAll(const std::vector<AnyGreenThread>& threads, std::exception_ptr exception,
                      Deadline deadline);
  friend void KillAllSoon(const std::vector<AnyGreenThread>& threads, std::exception_ptr exception);

  internal::Task* Checked() const {
    if (task_ == nullptr) throw std::logic_error("an empty GreenThread handle was used");
    return task_;
  }
  // Checked(), of the calling thread's hub.
  internal::Task* CheckedHere() const;
  // Cancels it instead when its time comes and `forget` says so.
  bool StartLater(absl::Duration delay, std::shared_ptr<const bool> forget) const;
  // Throws if the caller cannot wait for it: it is itself, or another thread's.
  void CheckCanWait() const;
  // Join() that does not count as having seen its error.
  bool Await(Deadline deadline) const;
  // Waits for the end and throws its error, if any.
  void WaitForResult(Deadline deadline) const;
  // False, and throws its error if any, if it has ended.
  bool NotReady() const;
  // Has `exception` thrown in it; of oneself, here and now. False if it has ended.
  bool Doom(std::exception_ptr exception, bool first) const;

  std::uint64_t AddLink(absl::AnyInvocable<void()> link, bool sees_error) const;
  // Links that take an argument. They refer to the task but hold no handle, which would keep one
  // that never starts for ever.
  template <typename Handle, typename F>
  absl::AnyInvocable<void()> WithHandle(F link) const {
    return [task = Checked(), link = std::move(link)]() mutable {
      Hub::Ref(task);
      link(Handle(task));
    };
  }
  template <typename Handle, typename F>
  absl::AnyInvocable<void()> OnException(F link) const {
    return [task = Checked(), link = std::move(link)]() mutable {
      if (!task->failed()) return;
      if constexpr (std::invocable<F&, std::exception_ptr>) {
        link(task->error());
      } else if constexpr (std::invocable<F&, Handle>) {
        Hub::Ref(task);
        link(Handle(task));
      } else {
        link();
      }
    };
  }

  internal::Task* task_ = nullptr;
};

// A handle on a green thread that returns R.
template <typename R>
class [[nodiscard]] GreenThread : public AnyGreenThread {
 public:
  GreenThread() = default;
  explicit GreenThread(internal::Task* task) : AnyGreenThread(task) {}

  // Waits for the result, or throws what the green thread threw; any number of times, for any
  // number of waiters (row A1.6). Throws GreenletExit if it was killed, TimeoutExpired if
  // `deadline` comes first, std::logic_error when a green thread waits for itself. The reference is
  // good for as long as a handle exists; of a temporary handle the result is moved, or copied if
  // other handles remain.
  decltype(auto) Wait(Deadline deadline = Deadline::Never()) & { return Result(deadline); }
  decltype(auto) Wait(Deadline deadline = Deadline::Never()) const& { return Result(deadline); }
  R Wait(Deadline deadline = Deadline::Never()) && {
    if constexpr (std::is_void_v<R> || std::is_reference_v<R>) {
      return static_cast<R>(Result(deadline));
    } else {
      R& result = Result(deadline);
      if constexpr (std::is_copy_constructible_v<R>) {
        if (task_->refs > 1) return result;
      }
      return std::move(result);
    }
  }

  // Wait() that never waits: null (false, of a void one) if it has not ended. Row B1.6.
  auto TryWait() const {
    if constexpr (std::is_void_v<R>) {
      return !NotReady();
    } else {
      return NotReady() ? nullptr : Pointer();
    }
  }
  // The result; null until there is one, and after any other end. Never throws what the green
  // thread threw. Row B1.2.
  std::add_pointer_t<R> Value() const requires(!std::is_void_v<R>) {
    return Successful() ? Pointer() : nullptr;
  }

  // As AnyGreenThread's, with handles of this type.
  std::uint64_t Link(absl::AnyInvocable<void()> link) const {
    return AddLink(std::move(link), true);
  }
  template <typename F>
  requires std::invocable<F&, GreenThread> std::uint64_t Link(F link)
  const { return AddLink(WithHandle<GreenThread>(std::move(link)), true); }
  template <typename F>
  std::uint64_t LinkException(F link) const {
    return AddLink(OnException<GreenThread>(std::move(link)), true);
  }
  // Link() for one that returns: `link(result)`, a reference, `link(thread)` or `link()`, whichever
  // it can be called as. An error is not thereby seen by anybody (row B1.8).
  template <typename F>
  std::uint64_t LinkValue(F link) const {
    return AddLink(
        [self = GreenThread::Borrow(Checked()), link = std::move(link)]() mutable {
          if (self.task->failed()) return;
          if constexpr (internal::kTakesResult<F, R>) {
            link(*self.Pointer());
          } else if constexpr (std::invocable<F&, GreenThread>) {
            Hub::Ref(self.task);
            link(GreenThread(self.task));
          } else {
            link();
          }
        },
        false);
  }
  // Hands the end on to `target`, which must still exist then: its result or error to what has
  // Send() or Set() and SendException() or SetException(), such as an Event<R> or an
  // AsyncResult<R>; a handle on it to what has Put(), such as a Queue<GreenThread<R>> (row B1.8).
  template <typename Target>
  std::uint64_t LinkTo(Target& target) const {
    return Link([&target](GreenThread thread) {
      const std::exception_ptr error = thread.task_->error();
      if constexpr (requires { target.SendException(error); }) {
        if (error) {
          target.SendException(error);
        } else if constexpr (std::is_void_v<R>) {
          target.Send();
        } else {
          target.Send(*thread.Pointer());
        }
      } else if constexpr (requires { target.SetException(error); }) {
        if (error) {
          target.SetException(error);
        } else if constexpr (std::is_void_v<R>) {
          target.Set();
        } else {
          target.Set(*thread.Pointer());
        }
      } else {
        target.Put(std::move(thread));
      }
    });
  }

 private:
  // A task that somebody else keeps.
  struct Borrow {
    explicit Borrow(internal::Task* t) : task(t) {}
    auto Pointer() const requires(!std::is_void_v<R>) {
      return std::addressof(*static_cast<internal::ResultTask<R>*>(task)->result);
    }
    internal::Task* task;
  };
  std::add_pointer_t<R> Pointer() const requires(!std::is_void_v<R>) {
    return Borrow(task_).Pointer();
  }
  std::add_lvalue_reference_t<R> Result(Deadline deadline) const {
    WaitForResult(deadline);
    if constexpr (!std::is_void_v<R>) return *static_cast<internal::ResultTask<R>*>(task_)->result;
  }
};

// A handle on the running green thread (or the main greenlet).
AnyGreenThread CurrentGreenThread();

}  // namespace verdant

#endif  // VERDANT_HUB_HANDLE_H_

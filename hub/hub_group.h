#ifndef VERDANT_HUB_HUB_GROUP_H_
#define VERDANT_HUB_HUB_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "greenlet/source_location.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "hub/remote_green_thread.h"
#include "hub/spawn.h"

namespace verdant {

namespace internal {
class HubCrew;
}  // namespace internal

// Many processors: some OS threads, each with a hub of its own. A green thread stays on the thread
// that it began on, so that all it shares with the others there needs no lock; work that has not
// begun goes where there is room for it. What goes between the hubs goes by a SharedQueue, a
// SharedEvent, a SharedSemaphore, or by Post().
//
//   HubGroup group;  // a thread for each processor
//   auto hash = group.Spawn(Hash, file);
//   group.SpawnN(Serve, group.size());
//   Print(hash.Wait());
//   group.Stop();  // waits for what runs
//
// f and its arguments are copied, or moved, and destroyed on the thread that runs them (on the one
// that cancels them, if they never begin). What is spawned starts with the context of whoever
// spawns it (greenlet/context.h), as it does within one hub; values in it are then shared by
// threads. What is posted has an empty one.
//
// Threading: every function from any thread, and from green threads in the group as well, but for
// Stop() and the destructor. Those that wait are for green threads (which park) and for threads
// without a hub (which block). In the child of a fork the group has no threads: what is given to it
// there ends as if it had been stopped, and Stop() and the destructor do nothing.
class HubGroup {
 public:
  struct Options {
    std::size_t threads = 0;  // 0: as many as processors that this process may run on
    // Of each hub. A clock of your own is asked by all of them at once.
    Hub::Options hub = {};
    std::string name = "hub";  // the threads go by name-0, name-1 and so on, the first 15 letters
    bool pin = false;          // each to a processor of its own, as long as there are enough
    // The error handler of each hub, called on its thread: perhaps on several at once. Empty: one
    // line on stderr.
    Hub::ErrorHandler on_uncaught = {};
    // What the destructor lets green threads take to end by themselves before it kills them.
    absl::Duration stop_within = absl::ZeroDuration();
    // What those that were killed may take to unwind; then they are reported, and left suspended
    // for good.
    absl::Duration unwind_within = absl::Seconds(10);
  };

  // Starts the threads, and waits until their hubs are there. Throws std::runtime_error if one
  // cannot be had, std::logic_error for options that make no sense.
  HubGroup();
  explicit HubGroup(Options options);
  HubGroup(const HubGroup&) = delete;
  HubGroup& operator=(const HubGroup&) = delete;
  // Stop(stop_within), which nothing interrupts. Not on a thread of the group: that ends the
  // process.
  ~HubGroup();

  std::size_t size() const { return size_; }
  // The hub of that number, to post to. Throws std::logic_error if there is none, as all do that
  // take a number.
  const Hub::Remote& remote(std::size_t index) const;
  // The number of the thread that calls, if it is one of the group's.
  std::optional<std::size_t> Here() const;

  // Starts a green thread for f(args...) on any of the hubs: an idle one, if there is one, else
  // where the least is under way. Until it begins a hub that has nothing to do may take it over.
  // What a hub was given begins in the order given, a call at each round of its green threads, so
  // that what is given to a busy hub waits where others can take it. After Stop() it ends as one
  // that was killed. Throws std::logic_error if f is an empty function.
  template <typename F>
  auto Spawn(F&& f, SourceLocation site = SourceLocation::current()) {
    return SpawnAt(kAnywhere, site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires internal::CallableWith<F, A>
  auto Spawn(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    return SpawnAt(kAnywhere, site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
  }
  template <typename F, typename A, typename B>
  requires internal::CallableWith<F, A, B>
  auto Spawn(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return SpawnAt(kAnywhere, site,
                   internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
  }
  template <typename F, typename A, typename B, typename C>
  requires internal::CallableWith<F, A, B, C>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return SpawnAt(kAnywhere, site,
                   internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                  std::forward<C>(c)));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires internal::CallableWith<F, A, B, C, D>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    return SpawnAt(kAnywhere, site,
                   internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                  std::forward<C>(c), std::forward<D>(d)));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires internal::CallableWith<F, A, B, C, D, E, Rest...>
  auto Spawn(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    return SpawnAt(kAnywhere, {},
                   internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                  std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                                  std::forward<Rest>(rest)...));
  }
  // The same on the hub of that number and on no other, at its next turn.
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  auto SpawnOn(internal::WithSite<std::size_t> index, F&& f, Args&&... args) {
    return SpawnAt(Checked(index.value), index.site,
                   internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
  }

  // The cheapest way: no handle, no result. An exception goes to the error handler of the hub that
  // it runs on. False after Stop(), and f is destroyed.
  template <typename F>
  bool SpawnN(F&& f, SourceLocation site = SourceLocation::current()) {
    return SpawnNAt(kAnywhere, site, std::forward<F>(f));
  }
  template <typename F, typename A>
  requires internal::CallableWith<F, A>
  bool SpawnN(F&& f, A&& a, SourceLocation site = SourceLocation::current()) {
    return SpawnNAt(kAnywhere, site, internal::Bind(std::forward<F>(f), std::forward<A>(a)));
  }
  template <typename F, typename A, typename B>
  requires internal::CallableWith<F, A, B>
  bool SpawnN(F&& f, A&& a, B&& b, SourceLocation site = SourceLocation::current()) {
    return SpawnNAt(kAnywhere, site,
                    internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)));
  }
  template <typename F, typename A, typename B, typename C>
  requires internal::CallableWith<F, A, B, C>
  bool SpawnN(F&& f, A&& a, B&& b, C&& c, SourceLocation site = SourceLocation::current()) {
    return SpawnNAt(kAnywhere, site,
                    internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                   std::forward<C>(c)));
  }
  template <typename F, typename A, typename B, typename C, typename D>
  requires internal::CallableWith<F, A, B, C, D>
  bool SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, SourceLocation site = SourceLocation::current()) {
    return SpawnNAt(kAnywhere, site,
                    internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                   std::forward<C>(c), std::forward<D>(d)));
  }
  template <typename F, typename A, typename B, typename C, typename D, typename E,
            typename... Rest>
  requires internal::CallableWith<F, A, B, C, D, E, Rest...>
  bool SpawnN(F&& f, A&& a, B&& b, C&& c, D&& d, E&& e, Rest&&... rest) {
    return SpawnNAt(kAnywhere, {},
                    internal::Bind(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                   std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                                   std::forward<Rest>(rest)...));
  }
  template <typename F, typename... Args>
  requires internal::CallableWith<F, Args...>
  bool SpawnNOn(internal::WithSite<std::size_t> index, F&& f, Args&&... args) {
    return SpawnNAt(Checked(index.value), index.site,
                    internal::Bind(std::forward<F>(f), std::forward<Args>(args)...));
  }

  // f(args...) in a green thread of that hub, while the caller waits: as RunInHub() of a remote.
  template <typename F, typename... Args>
  decltype(auto) RunInHub(internal::WithSite<std::size_t> index, F&& f, Args&&... args) {
    internal::CheckMayWait();
    return internal::WaitOrCancel(
        SpawnAt(Checked(index.value), index.site,
                internal::Bind(std::forward<F>(f), std::forward<Args>(args)...)));
  }

  // Runs `call` on that hub, between green threads: as Hub::Post(). False, and it is destroyed,
  // after Stop(); one that comes while it stops may be destroyed all the same.
  bool Post(std::size_t index, absl::AnyInvocable<void()> call);

  // Takes no more work, waits until all green threads of the group have ended, those included that
  // wait to begin, and kills those that have not by `deadline`, each on its own thread; then ends
  // the threads. False if something had to be killed, or never began. Interrupted, it is not taken
  // back, but may be called again. Idempotent; from several threads at once. Throws
  // std::logic_error on a thread of the group. A green thread that computes and never waits cannot
  // be ended, and is waited for.
  bool Stop(Deadline deadline = Deadline::Never());
  bool stopped() const;

 private:
  static constexpr std::size_t kAnywhere = SIZE_MAX;

  template <typename F>
  static auto Discarding(F&& f) {
    return [f = std::decay_t<F>(std::forward<F>(f))]() mutable { static_cast<void>(f()); };
  }
  template <typename Body>
  auto SpawnAt(std::size_t index, SourceLocation site, Body&& body) {
    auto [ticket, handle] = internal::NewRemote(site, std::forward<Body>(body));
    Give(index, std::move(ticket), site);
    return std::move(handle);
  }
  template <typename Body>
  bool SpawnNAt(std::size_t index, SourceLocation site, Body&& body) {
    internal::CheckCallable<std::decay_t<Body>>(body);
    return Give(index, Discarding(std::forward<Body>(body)), site);
  }
  std::size_t Checked(std::size_t index) const;
  bool Give(std::size_t index, absl::AnyInvocable<void()> run, SourceLocation site);

  std::unique_ptr<internal::HubCrew> crew_;
  std::size_t size_;
  absl::Duration stop_within_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_HUB_GROUP_H_

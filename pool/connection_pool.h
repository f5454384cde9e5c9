#ifndef VERDANT_POOL_CONNECTION_POOL_H_
#define VERDANT_POOL_CONNECTION_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "pool/resource_pool.h"

namespace verdant {

struct ConnectionPoolOptions {
  std::size_t min_size = 0;  // connected by the constructor
  std::size_t max_size = 4;
  // How long a connection may lie unused, and how old it may get; an older one is closed when it
  // comes back, or lies unused. Zero: it is never used twice.
  absl::Duration max_idle = absl::Seconds(10);
  absl::Duration max_age = absl::Seconds(30);
  absl::Duration connect_timeout = absl::Seconds(5);
};

// Connections to one server, kept open between uses. The one used last is used first. Rows A4.6,
// A4.7.
//
//   ConnectionPool<Database> pool([](Deadline by) { return Database::Connect("db1", by); });
//   absl::StatusOr<ConnectionPool<Database>::Lease> database = pool.Get(absl::Seconds(1));
//   if (!database.ok()) return database.status();
//   (*database)->Query("...");
//
// Those of a library that blocks live on OS threads: ConnectionPool<tpool::Proxy<Database>>, whose
// connect function is Proxy::Make() and whose cleanup is a Call(), connects, is used, cleaned up
// and closed there (tpool.h).
//
// Destroying a Connection closes it. What needs the like before it is used again, such as a
// rollback, is the cleanup.
//
// Threading: for green threads of one hub. Leases may outlive the pool: their connections are
// closed then. Nobody may wait in it when it is destroyed.
template <typename Connection>
class ConnectionPool {
  struct State;

 public:
  // Connects, by the deadline; may wait. A Timeout stops it then in any case.
  using Connect = absl::AnyInvocable<absl::StatusOr<Connection>(Deadline)>;
  // Called with each connection that comes back; may wait. One for which it fails is closed.
  using Cleanup = absl::AnyInvocable<absl::Status(Connection&)>;

  explicit ConnectionPool(Connect connect, ConnectionPoolOptions options = {},
                          Cleanup cleanup = nullptr)
      : state_(std::make_shared<State>(std::move(connect), options, std::move(cleanup))) {
    state_->KeepWatch(state_);
  }
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool() { state_->ShutDown(); }

  // A connection lent; gives it back when destroyed. Moved, not copied.
  class [[nodiscard]] Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept {
      if (this == &other) return *this;
      GiveBackLater();
      state_ = std::move(other.state_);
      pooled_ = std::move(other.pooled_);
      return *this;
    }
    // With a cleanup, which may wait, that and the giving back are left to a green thread of their
    // own.
    ~Lease() { GiveBackLater(); }

    Connection& operator*() { return pooled_->connection; }
    Connection* operator->() { return &pooled_->connection; }
    explicit operator bool() const { return state_ != nullptr; }

    // Gives it back here and now, cleanup included: its status. What the cleanup throws comes out
    // of here, with the connection closed. Idempotent: it goes back once (row A4.7).
    absl::Status Close() {
      if (state_ == nullptr) return absl::OkStatus();
      const std::shared_ptr<State> state = std::move(state_);
      return state->TakeBack(state, std::move(pooled_));
    }
    // Closes the connection, which is not fit to be used again, and lets another be made in its
    // place. Idempotent.
    void Discard() {
      if (state_ == nullptr) return;
      const std::shared_ptr<State> state = std::move(state_);
      pooled_.reset();
      state->connections.Forget();
    }

   private:
    friend class ConnectionPool;
    Lease(std::shared_ptr<State> state, typename State::Pooled pooled)
        : state_(std::move(state)),
          pooled_(std::make_unique<typename State::Pooled>(std::move(pooled))) {}

    void GiveBackLater() {
      if (state_ == nullptr) return;
      if (state_->cleanup == nullptr) {
        static_cast<void>(Close());
        return;
      }
      SpawnN(GiveBack{std::move(state_), std::move(pooled_)});
    }

    std::shared_ptr<State> state_;
    std::unique_ptr<typename State::Pooled> pooled_;
  };

  // An idle connection, or a new one if there are fewer than max_size, or else the next that comes
  // back; waiters are served in the order they came. Fails with the error of the connecting, or
  // DeadlineExceeded: `deadline` bounds the waiting and the connecting together, connect_timeout
  // the connecting alone.
  absl::StatusOr<Lease> Get(Deadline deadline = Deadline::Never()) {
    const std::shared_ptr<State> state = state_;
    { const auto closed_here = state->TakeExpired(); }
    auto pooled = state->connections.Reserve(deadline);
    if (!pooled.ok()) return pooled.status();
    if (*pooled) return Lease(state, **std::move(pooled));
    return Make(state, deadline);
  }

  // Closes the idle ones.
  void Clear() {
    const auto closed_here =
        state_->connections.TakeIdleIf([](const typename State::Pooled&) { return true; });
  }
  // See ResourcePool.
  void Resize(std::size_t max_size) { state_->connections.Resize(max_size); }
  std::int64_t Free() const { return state_->connections.Free(); }
  std::size_t Waiting() const { return state_->connections.Waiting(); }
  std::size_t idle() const { return state_->connections.idle(); }
  std::size_t size() const { return state_->connections.size(); }
  std::size_t max_size() const { return state_->connections.max_size(); }

 private:
  // Shared by the pool, its leases and its timer.
  struct State {
    struct Pooled {
      Connection connection;
      std::int64_t created;
      std::int64_t last_used;
    };

    State(Connect c, const ConnectionPoolOptions& o, Cleanup k)
        : connect(std::move(c)),
          options(o),
          cleanup(std::move(k)),
          connections([this] { return MakeOne(Deadline::Never()); },
                      {.min_size = o.min_size, .max_size = o.max_size, .order_as_stack = true}) {}

    static std::int64_t Now() { return Hub::Current().NowNanos(); }

    absl::StatusOr<Pooled> MakeOne(Deadline deadline) {
      const Deadline by = std::min(deadline, Deadline(options.connect_timeout));
      const absl::Duration patience = by.Remaining();
      Timeout timeout(patience);
      try {
        absl::StatusOr<Connection> made = connect(by);
        if (!made.ok()) return made.status();
        const std::int64_t now = Now();
        return Pooled{*std::move(made), now, now};
      } catch (const TimeoutExpired& expired) {
        if (!timeout.Owns(expired)) throw;
      }
      return absl::DeadlineExceededError(absl::StrCat(
          "ConnectionPool: connecting took longer than ", absl::FormatDuration(patience)));
    }

    // When it is to be closed.
    std::int64_t Due(const Pooled& pooled) const {
      return std::min(After(pooled.last_used, options.max_idle),
                      After(pooled.created, options.max_age));
    }
    static std::int64_t After(std::int64_t time, absl::Duration duration) {
      const std::int64_t nanos = absl::ToInt64Nanoseconds(duration);
      return nanos > kNever - time ? kNever : time + nanos;
    }
    std::vector<Pooled> TakeExpired() {
      const std::int64_t now = Now();
      return connections.TakeIdleIf([&](const Pooled& pooled) { return Due(pooled) <= now; });
    }

    absl::Status TakeBack(const std::shared_ptr<State>& self, std::unique_ptr<Pooled> pooled) {
      // The place is free only when the connection is closed, however this ends.
      struct Place {
        State* state;
        ~Place() {
          if (state != nullptr) state->connections.Forget();
        }
      } place{this};
      const std::unique_ptr<Pooled> held = std::move(pooled);
      held->last_used = Now();
      if (shut_down || Due(*held) <= held->last_used) return absl::OkStatus();
      if (cleanup != nullptr) {
        if (absl::Status status = cleanup(held->connection); !status.ok()) return status;
        if (shut_down) return absl::OkStatus();
      }
      place.state = nullptr;
      held->last_used = Now();
      const std::int64_t due = Due(*held);
      connections.Put(std::move(*held));
      WatchUntil(self, due);
      return absl::OkStatus();
    }

    // Has what expires closed when it does.
    void KeepWatch(const std::shared_ptr<State>& self) {
      std::int64_t next = kNever;
      connections.ForEachIdle([&](const Pooled& pooled) { next = std::min(next, Due(pooled)); });
      WatchUntil(self, next);
    }
    void WatchUntil(const std::shared_ptr<State>& self, std::int64_t due) {
      if (due == kNever || (timer.pending() && timer_due <= due)) return;
      timer.Cancel();
      timer_due = due;
      timer =
          Hub::Current().ScheduleCall(absl::Nanoseconds(std::max<std::int64_t>(due - Now(), 0)),
                                      [weak = std::weak_ptr<State>(self)] {
                                        const std::shared_ptr<State> state = weak.lock();
                                        if (state == nullptr) return;
                                        // To close one may take waiting, which a hub callback must
                                        // not.
                                        if (auto expired = state->TakeExpired(); !expired.empty()) {
                                          SpawnN([expired = std::move(expired)] {});
                                        }
                                        state->KeepWatch(state);
                                      });
    }

    void ShutDown() {
      shut_down = true;
      timer.Cancel();
      const auto closed_here = connections.TakeIdleIf([](const Pooled&) { return true; });
    }

    static constexpr std::int64_t kNever = INT64_MAX;

    Connect connect;
    const ConnectionPoolOptions options;
    Cleanup cleanup;
    ResourcePool<Pooled> connections;
    bool shut_down = false;
    TimerHandle timer;
    std::int64_t timer_due = kNever;
  };

  // What a lease leaves to a green thread; if that never runs, the connection is closed.
  struct GiveBack {
    std::shared_ptr<State> state;
    std::unique_ptr<typename State::Pooled> pooled;

    GiveBack(std::shared_ptr<State> s, std::unique_ptr<typename State::Pooled> p)
        : state(std::move(s)), pooled(std::move(p)) {}
    GiveBack(GiveBack&&) = default;
    GiveBack& operator=(GiveBack&&) = delete;
    ~GiveBack() {
      if (pooled == nullptr) return;
      pooled.reset();
      state->connections.Forget();
    }
    void operator()() { static_cast<void>(state->TakeBack(state, std::move(pooled))); }
  };

  static absl::StatusOr<Lease> Make(const std::shared_ptr<State>& state, Deadline deadline) {
    struct Right {
      State* state;
      ~Right() {
        if (state != nullptr) state->connections.Forget();
      }
    } right{state.get()};
    auto made = state->MakeOne(deadline);
    if (!made.ok()) return made.status();
    Lease lease(state, *std::move(made));
    right.state = nullptr;
    return lease;
  }

  const std::shared_ptr<State> state_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_CONNECTION_POOL_H_

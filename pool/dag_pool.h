#ifndef VERDANT_POOL_DAG_POOL_H_
#define VERDANT_POOL_DAG_POOL_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "greenlet/source_location.h"
#include "hub/green_thread.h"
#include "pool/dag_errors.h"
#include "pool/internal/dag_state.h"
#include "pool/internal/member_thread.h"
#include "pool/result_range.h"

namespace verdant {

// Green threads that compute values from each other's values: each has a key, names the keys it
// depends on, and gets their values as they become available. Rows A9.2-A9.7.
//
//   DagPool<std::string, Object> pool;
//   pool.SpawnMany({{"main.o", {}}, {"util.o", {}}, {"app", {"main.o", "util.o"}}},
//                  [](const std::string& key, auto& inputs) {
//                    Builder builder(key);
//                    for (auto& [name, object] : inputs) builder.Add(object);
//                    return builder.Finish();
//                  });
//   Object app = pool["app"];
//
// A task starts at once and waits only where it asks for a value that is not there. One that throws
// leaves a PropagateError in the place of its value, which is thrown in whatever reads it: so a
// failure goes through the graph to all that depend on it (row A9.5).
//
// Everything comes in a fixed order: values in the order they became available, snapshots in the
// order of the keys. No call that need not wait yields (row A9.7). What nobody ever computes or
// posts is waited for until killed or timed out.
//
// The tasks go on if the pool is destroyed before them. Key is copied and has operator<; Value is
// copied. Threading: for green threads of one hub; what does not wait also for its callbacks.
template <typename Key, typename Value>
class DagPool {
  using State = internal::DagState<Key, Value>;
  using Watch = internal::DagWatch<Key, Value>;
  using Arrival = typename Watch::Arrival;

 public:
  using Error = PropagateError<Key>;

  // Values as they become available, with their keys: what a task reads its dependencies from, and
  // what WaitEach() returns; read as ResultRange says. A PropagateError stands in the place of its
  // value, and reading goes on after it. An interrupted wait loses nothing.
  class [[nodiscard]] Values : public ResultRange<Values, std::pair<Key, Value>> {
   public:
    // Nothing.
    Values() = default;

   private:
    friend class DagPool;
    friend class ResultRange<Values, std::pair<Key, Value>>;
    Values(std::unique_ptr<Watch> watch, bool skip_errors)
        : watch_(std::move(watch)), skip_errors_(skip_errors) {}

    bool Take(internal::Outcome<std::pair<Key, Value>>& outcome, Deadline deadline) {
      if (watch_ == nullptr) return false;
      std::optional<Arrival> arrival;
      do {
        arrival = watch_->Next(deadline);
        if (!arrival) return false;
      } while (skip_errors_ && arrival->outcome->error);
      outcome.error = arrival->outcome->error;
      if (!outcome.error) outcome.value.emplace(std::move(arrival->key), *arrival->outcome->value);
      return true;
    }

    std::unique_ptr<Watch> watch_;
    bool skip_errors_ = false;
  };
  // The keys whose values failed, with what reading them throws.
  class [[nodiscard]] Errors : public ResultRange<Errors, std::pair<Key, std::exception_ptr>> {
   public:
    Errors() = default;

   private:
    friend class DagPool;
    friend class ResultRange<Errors, std::pair<Key, std::exception_ptr>>;
    explicit Errors(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}

    bool Take(internal::Outcome<std::pair<Key, std::exception_ptr>>& outcome, Deadline deadline) {
      while (std::optional<Arrival> arrival =
                 watch_ != nullptr ? watch_->Next(deadline) : std::nullopt) {
        if (!arrival->outcome->error) continue;
        outcome.value.emplace(std::move(arrival->key), arrival->outcome->error);
        return true;
      }
      return false;
    }

    std::unique_ptr<Watch> watch_;
  };

  DagPool() : state_(std::make_shared<State>()) {}
  // With values that are there from the start.
  explicit DagPool(std::map<Key, Value> preload) : DagPool() {
    for (auto& [key, value] : preload) Post(key, std::move(value));
  }
  DagPool(const DagPool&) = delete;
  DagPool& operator=(const DagPool&) = delete;

  // Has f(key, values) compute the value of `key` in a green thread of its own, which starts at the
  // hub's next turn; `values` is a Values& of the dependencies. Throws Collision if `key` has a
  // value or a task already.
  template <typename F>
  requires std::is_invocable_r_v < Value, std::decay_t<F>
  &, const Key&,
      Values& > void Spawn(const Key& key, const std::vector<Key>& dependencies, F&& f,
                           SourceLocation site = SourceLocation::current()) {
    auto& node = state_->nodes[key];
    if (state_->Known(node)) ThrowCollision("DagPool::Spawn", key);
    const std::uint64_t number = ++state_->last_number;
    Run<std::decay_t<F>> run{state_, key, number,
                             Values(std::make_unique<Watch>(state_, dependencies), false),
                             std::forward<F>(f)};
    node.task.emplace(typename State::Task{number, dependencies, {}});
    node.task->thread = verdant::Spawn(std::move(run), site);
  }
  // Spawn() for each key with its dependencies, in the order of the keys, with copies of f. Throws
  // Collision, having spawned nothing, if any key has a value or a task already.
  template <typename F>
  requires std::is_invocable_r_v < Value, std::decay_t<F>
  &, const Key&,
      Values& > void SpawnMany(const std::map<Key, std::vector<Key>>& dependencies, const F& f,
                               SourceLocation site = SourceLocation::current()) {
    for (const auto& [key, needed] : dependencies) {
      const auto* node = state_->Find(key);
      if (node != nullptr && state_->Known(*node)) ThrowCollision("DagPool::SpawnMany", key);
    }
    for (const auto& [key, needed] : dependencies) Spawn(key, needed, f, site);
  }

  // Gives `key` a value from outside. Throws Collision if it has one, unless that is to be
  // replaced, or if it has a task; but a task may post its own key, and what it returns or throws
  // later is dropped then (row A9.3). Those that have waited for a value keep the one that came
  // first.
  void Post(const Key& key, Value value, bool replace = false) {
    state_->Store(NodeToPost(key, replace), key, std::move(value), nullptr);
  }
  // The same with a failure, which whoever reads the value is thrown.
  void Post(const Key& key, Error error, bool replace = false) {
    state_->Store(NodeToPost(key, replace), key, std::nullopt,
                  std::make_exception_ptr(std::move(error)));
  }

  // Waits for the values of `keys`, whether they are known yet or not, and returns them. Throws the
  // first PropagateError that comes; TimeoutExpired if `deadline` comes first.
  std::map<Key, Value> Wait(const std::vector<Key>& keys, Deadline deadline = Deadline::Never()) {
    std::map<Key, Value> values;
    Values each = WaitEach(keys);
    while (auto item = each.Next(deadline)) values.insert(*std::move(item));
    return values;
  }
  // The same for all that have a value or a task now.
  std::map<Key, Value> WaitAll(Deadline deadline = Deadline::Never()) {
    return Wait(KnownKeys(), deadline);
  }

  // The values of `keys` in the order in which they become available, those that are there already
  // included; without `keys`, of all that have a value or a task now. The second skips failures,
  // the third gives nothing else (row A9.4).
  Values WaitEach(const std::vector<Key>& keys) { return Values(Watching(keys), false); }
  Values WaitEach() { return WaitEach(KnownKeys()); }
  Values WaitEachSuccess(const std::vector<Key>& keys) { return Values(Watching(keys), true); }
  Values WaitEachSuccess() { return WaitEachSuccess(KnownKeys()); }
  Errors WaitEachException(const std::vector<Key>& keys) { return Errors(Watching(keys)); }
  Errors WaitEachException() { return WaitEachException(KnownKeys()); }

  // Waits for one value. Throws the PropagateError in its place; the second form TimeoutExpired if
  // `deadline` comes first.
  Value operator[](const Key& key) { return Get(key, Deadline::Never()); }
  Value Get(const Key& key, Deadline deadline) {
    if (const auto outcome = state_->OutcomeOf(key)) return outcome->Get();
    Watch watch(state_, {key});
    return watch.Next(deadline)->outcome->Get();
  }
  // The value if it is there; throws the PropagateError in its place. Never waits.
  std::optional<Value> Get(const Key& key) const {
    const auto outcome = state_->OutcomeOf(key);
    return outcome != nullptr ? std::optional<Value>(outcome->Get()) : std::nullopt;
  }

  // Snapshots: the keys that have a value or a failure in its place; those keys with their values,
  // throwing the first PropagateError there is.
  std::vector<Key> Keys() const {
    return KeysWhere([](const auto& node) { return node.outcome != nullptr; });
  }
  std::map<Key, Value> Items() const {
    std::map<Key, Value> items;
    for (const auto& [key, node] : state_->nodes) {
      if (node.outcome != nullptr) items.emplace(key, node.outcome->Get());
    }
    return items;
  }
  // The tasks that have not ended.
  std::vector<Key> RunningKeys() const {
    return KeysWhere([](const auto& node) { return node.task.has_value(); });
  }
  std::size_t Running() const { return RunningKeys().size(); }
  // Those of them of whose dependencies some are missing.
  std::size_t Waiting() const { return WaitingFor().size(); }
  // The missing dependencies of the task of `key`; none if it has ended. Throws std::out_of_range
  // if `key` has neither value nor task.
  std::set<Key> WaitingFor(const Key& key) const {
    const auto* node = state_->Find(key);
    if (node == nullptr || !state_->Known(*node)) {
      throw std::out_of_range("DagPool::WaitingFor: nothing is known of " +
                              internal::DagKeyText(key));
    }
    return Missing(*node);
  }
  // Of all tasks that miss any.
  std::map<Key, std::set<Key>> WaitingFor() const {
    std::map<Key, std::set<Key>> all;
    for (const auto& [key, node] : state_->nodes) {
      if (auto missing = Missing(node); !missing.empty()) all.emplace(key, std::move(missing));
    }
    return all;
  }

  // Kills the task of `key`, started or not, as AnyGreenThread::Kill() does; it is as if it had
  // never been spawned: those that depend on it wait on, and the key may be spawned or posted anew.
  // Throws std::out_of_range if there is no such task (row A9.6).
  void Kill(const Key& key) {
    const auto place = state_->nodes.find(key);
    if (place == state_->nodes.end() || !place->second.task) {
      throw std::out_of_range("DagPool::Kill: there is no task of " + internal::DagKeyText(key));
    }
    const auto task = std::exchange(place->second.task, std::nullopt);
    task->thread.Kill();
  }

 private:
  // What a task runs. Destroyed unrun, for want of a stack or because something else killed it, it
  // leaves a failure, too.
  template <typename F>
  struct Run {
    std::shared_ptr<State> state;
    Key key;
    std::uint64_t number;
    Values values;
    F function;

    Run(std::shared_ptr<State> s, const Key& k, std::uint64_t n, Values v, F f)
        : state(std::move(s)), key(k), number(n), values(std::move(v)), function(std::move(f)) {}
    Run(Run&&) = default;
    Run& operator=(Run&&) = delete;
    ~Run() {
      if (state == nullptr) return;
      state->End(key, number, std::nullopt,
                 std::make_exception_ptr(std::runtime_error("its task never ran")));
    }
    void operator()() {
      std::optional<Value> value;
      std::exception_ptr error;
      try {
        value.emplace(std::invoke(function, std::as_const(key), values));
      } catch (...) {
        error = std::current_exception();
      }
      std::exchange(state, nullptr)->End(key, number, std::move(value), error);
    }
  };

  [[noreturn]] static void ThrowCollision(const char* operation, const Key& key) {
    throw Collision(operation + (": " + internal::DagKeyText(key)) +
                    " has a value or a task already");
  }
  typename State::Node& NodeToPost(const Key& key, bool replace) {
    auto& node = state_->nodes[key];
    const bool by_others = node.task && internal::MemberThread(node.task->thread).identity() !=
                                            internal::CurrentIdentity();
    if (by_others || (node.outcome != nullptr && !replace)) ThrowCollision("DagPool::Post", key);
    return node;
  }
  std::unique_ptr<Watch> Watching(const std::vector<Key>& keys) {
    return std::make_unique<Watch>(state_, keys);
  }
  template <typename Predicate>
  std::vector<Key> KeysWhere(Predicate holds) const {
    std::vector<Key> keys;
    for (const auto& [key, node] : state_->nodes) {
      if (holds(node)) keys.push_back(key);
    }
    return keys;
  }
  std::vector<Key> KnownKeys() const {
    return KeysWhere([this](const auto& node) { return state_->Known(node); });
  }
  std::set<Key> Missing(const typename State::Node& node) const {
    std::set<Key> missing;
    if (!node.task) return missing;
    for (const Key& key : node.task->dependencies) {
      if (state_->OutcomeOf(key) == nullptr) missing.insert(key);
    }
    return missing;
  }

  const std::shared_ptr<State> state_;
};

}  // namespace verdant

#endif  // VERDANT_POOL_DAG_POOL_H_

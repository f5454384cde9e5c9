#ifndef VERDANT_POOL_INTERNAL_DAG_STATE_H_
#define VERDANT_POOL_INTERNAL_DAG_STATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "pool/dag_errors.h"
#include "pool/internal/line.h"

namespace verdant::internal {

template <typename Key, typename Value>
class DagWatch;

// What a DagPool knows, shared with its tasks and readers, any of which may outlive it.
template <typename Key, typename Value>
class DagState {
 public:
  // A value, or the PropagateError in its place, and when it came.
  struct Outcome {
    std::optional<Value> value;
    std::exception_ptr error;
    std::uint64_t number = 0;

    const Value& Get() const {
      if (error) std::rethrow_exception(error);
      return *value;
    }
  };
  using OutcomePtr = std::shared_ptr<const Outcome>;
  using Watch = DagWatch<Key, Value>;

  struct Task {
    std::uint64_t number;
    std::vector<Key> dependencies;
    AnyGreenThread thread;
  };
  struct Node {
    OutcomePtr outcome;
    std::optional<Task> task;
    std::vector<Watch*> watches;  // in the order they came
  };

  const Node* Find(const Key& key) const {
    const auto place = nodes.find(key);
    return place == nodes.end() ? nullptr : &place->second;
  }
  OutcomePtr OutcomeOf(const Key& key) const {
    const Node* node = Find(key);
    return node != nullptr ? node->outcome : nullptr;
  }
  bool Known(const Node& node) const { return node.outcome != nullptr || node.task.has_value(); }

  void Store(Node& node, const Key& key, std::optional<Value> value, std::exception_ptr error) {
    auto outcome = std::make_shared<Outcome>();
    outcome->value = std::move(value);
    outcome->error = std::move(error);
    outcome->number = ++last_number;
    node.outcome = outcome;
    for (Watch* watch : std::exchange(node.watches, {})) watch->Arrived(key, node.outcome);
  }

  // Takes note of how a task ended, unless it was disowned meanwhile or has posted its own key.
  void End(const Key& key, std::uint64_t number, std::optional<Value> value,
           const std::exception_ptr& error) {
    Node& node = nodes[key];
    if (!node.task || node.task->number != number) return;
    const std::optional<Task> ended = std::exchange(node.task, std::nullopt);
    if (node.outcome != nullptr) return;
    std::exception_ptr propagated;
    if (error) propagated = std::make_exception_ptr(PropagateError<Key>(key, error));
    Store(node, key, std::move(value), std::move(propagated));
  }

  std::map<Key, Node> nodes;
  std::uint64_t last_number = 0;
};

// Follows the outcomes of some keys as they become available.
template <typename Key, typename Value>
class DagWatch {
 public:
  using State = DagState<Key, Value>;
  using OutcomePtr = typename State::OutcomePtr;
  struct Arrival {
    Key key;
    OutcomePtr outcome;
  };

  DagWatch(std::shared_ptr<State> state, const std::vector<Key>& keys) : state_(std::move(state)) {
    for (const Key& key : std::set<Key>(keys.begin(), keys.end())) {
      auto& node = state_->nodes[key];
      if (node.outcome != nullptr) {
        arrived_.push_back({key, node.outcome});
      } else {
        node.watches.push_back(this);
        missing_.insert(key);
      }
    }
    std::stable_sort(arrived_.begin(), arrived_.end(), [](const Arrival& a, const Arrival& b) {
      return a.outcome->number < b.outcome->number;
    });
  }
  DagWatch(const DagWatch&) = delete;
  DagWatch& operator=(const DagWatch&) = delete;
  ~DagWatch() {
    for (const Key& key : missing_) {
      auto& watches = state_->nodes[key].watches;
      watches.erase(std::find(watches.begin(), watches.end(), this));
    }
  }

  void Arrived(const Key& key, OutcomePtr outcome) {
    missing_.erase(key);
    arrived_.push_back({key, std::move(outcome)});
    Settle();
  }

  // The next outcome, or nothing when all have been read. Waits for it, which an interruption ends
  // without loss; throws TimeoutExpired if `deadline` comes first.
  std::optional<Arrival> Next(Deadline deadline) {
    if (readers_.empty() && !arrived_.empty()) return Take();
    if (missing_.empty() && arrived_.empty()) return std::nullopt;
    const absl::Duration patience = deadline.Remaining();
    struct Reader : Line::Place {
      Reader(DagWatch& w, Task* task) : Place(w.readers_, task), watch(w) {}
      ~Reader() {
        this->Leave();
        watch.Settle();
      }
      DagWatch& watch;
    } reader(*this, Hub::Current().CurrentTask());
    for (;;) {
      const WakeReason reason = reader.Wait(deadline);
      if (reader.called() && !arrived_.empty()) return Take();
      if (missing_.empty() && arrived_.empty()) return std::nullopt;
      if (reason == WakeReason::kTimedOut) throw TimeoutExpired(0, patience);
      reader.Return();
    }
  }

 private:
  Arrival Take() {
    Arrival arrival = std::move(arrived_.front());
    arrived_.pop_front();
    return arrival;
  }
  void Settle() {
    if (missing_.empty()) {
      readers_.CallAll();
    } else {
      readers_.CallUpTo(arrived_.size());
    }
  }

  const std::shared_ptr<State> state_;
  std::deque<Arrival> arrived_;
  std::set<Key> missing_;
  Line readers_{"DagPool: the next value"};
};

}  // namespace verdant::internal

#endif  // VERDANT_POOL_INTERNAL_DAG_STATE_H_

#ifndef VERDANT_GREENLET_INTERNAL_VARIABLES_H_
#define VERDANT_GREENLET_INTERNAL_VARIABLES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace verdant::internal {

// What the ContextVars are set to somewhere. Never changed once made, so that any number of fibers
// and Contexts, on any thread, share it; a change makes another. A list, because programs have a
// handful of variables, not hundreds.
struct VariableMap {
  struct Entry {
    std::uint64_t variable;
    std::shared_ptr<const void> value;
  };

  static void Ref(VariableMap* map) noexcept { map->refs.fetch_add(1, std::memory_order_relaxed); }
  static void Unref(VariableMap* map) noexcept {
    if (map->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete map;
  }

  std::atomic<std::uint32_t> refs{1};
  std::vector<Entry> entries;
};

// A counted pointer to one; null stands for the empty map.
class VariableMapRef {
 public:
  VariableMapRef() = default;
  // Takes over a reference.
  explicit VariableMapRef(VariableMap* map) noexcept : map_(map) {}
  VariableMapRef(const VariableMapRef& other) noexcept : map_(other.map_) {
    if (map_ != nullptr) VariableMap::Ref(map_);
  }
  VariableMapRef(VariableMapRef&& other) noexcept : map_(std::exchange(other.map_, nullptr)) {}
  VariableMapRef& operator=(VariableMapRef other) noexcept {
    std::swap(map_, other.map_);
    return *this;
  }
  ~VariableMapRef() {
    if (map_ != nullptr) VariableMap::Unref(map_);
  }

  VariableMap* get() const { return map_; }
  VariableMap* release() { return std::exchange(map_, nullptr); }

 private:
  VariableMap* map_ = nullptr;
};

// Never given twice.
std::uint64_t NewVariable();

// The entry's value, or null.
inline const std::shared_ptr<const void>* FindVariable(const VariableMap* map,
                                                       std::uint64_t variable) {
  if (map == nullptr) return nullptr;
  for (const VariableMap::Entry& entry : map->entries) {
    if (entry.variable == variable) return &entry.value;
  }
  return nullptr;
}

// `map` with another value of `variable`, or without it if `value` is null.
VariableMapRef WithVariable(const VariableMap* map, std::uint64_t variable,
                            std::shared_ptr<const void> value);

// The running fiber's map. What is replaced is let go of last, as that may run anything.
VariableMap* CurrentVariables();
VariableMapRef ReplaceCurrentVariables(VariableMapRef map);

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_VARIABLES_H_

#include "greenlet/internal/variables.h"

#include "greenlet/internal/fiber.h"

namespace verdant::internal {

std::uint64_t NewVariable() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

VariableMapRef WithVariable(const VariableMap* map, std::uint64_t variable,
                            std::shared_ptr<const void> value) {
  VariableMapRef made(new VariableMap);
  std::vector<VariableMap::Entry>& entries = made.get()->entries;
  if (map != nullptr) {
    entries.reserve(map->entries.size() + 1);
    for (const VariableMap::Entry& entry : map->entries) {
      if (entry.variable != variable) entries.push_back(entry);
    }
  }
  if (value != nullptr) entries.push_back({variable, std::move(value)});
  return entries.empty() ? VariableMapRef() : made;
}

VariableMap* CurrentVariables() { return CurrentFiber()->variables; }

VariableMapRef ReplaceCurrentVariables(VariableMapRef map) {
  return VariableMapRef(std::exchange(CurrentFiber()->variables, map.release()));
}

void ShareVariables(VariableMap* variables, Fiber& to) noexcept {
  VariableMap::Ref(variables);
  to.variables = variables;
}

}  // namespace verdant::internal

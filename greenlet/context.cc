#include "greenlet/context.h"

#include <stdexcept>
#include <utility>

#include "greenlet/internal/greenlet_state.h"

namespace verdant {
namespace {

internal::Fiber& FiberOf(const Greenlet& greenlet) {
  internal::GreenletState* state = internal::GreenletState::Of(greenlet);
  if (state == nullptr || !state->mine() || state->dead()) {
    throw std::logic_error("Context: " + greenlet.Description() + " has no context to be had here");
  }
  return *state->fiber;
}

}  // namespace

Context Context::Of(const Greenlet& greenlet) {
  internal::VariableMap* map = FiberOf(greenlet).variables;
  if (map != nullptr) internal::VariableMap::Ref(map);
  return Context(internal::VariableMapRef(map));
}

void Context::AssignTo(const Greenlet& greenlet) const {
  internal::VariableMapRef map = map_;
  const internal::VariableMapRef before(std::exchange(FiberOf(greenlet).variables, map.release()));
}

}  // namespace verdant

#ifndef VERDANT_GREENLET_INTERNAL_LOCALS_H_
#define VERDANT_GREENLET_INTERNAL_LOCALS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "greenlet/internal/fiber.h"

namespace verdant::internal {

struct LocalValue;

// A GreenLocal, as its values know it: they may outlive it.
struct LocalKey {
  LocalKey(std::size_t i, void (*d)(void*) noexcept) : index(i), destroy(d) {}

  const std::size_t index;  // in every fiber's table; another's once the GreenLocal has ended
  void (*const destroy)(void*) noexcept;
  std::mutex mutex;
  // All fibers' values, oldest first; under the mutex.
  LocalValue* first = nullptr;
  LocalValue* last = nullptr;
};

// What one fiber keeps in one GreenLocal. The node is the fiber's; the object belongs to whoever
// takes it off the key's list first, the fiber that ends or the GreenLocal that does.
struct LocalValue {
  std::shared_ptr<LocalKey> key;
  void* object = nullptr;
  LocalValue* previous = nullptr;  // under the key's mutex
  LocalValue* next = nullptr;
  LocalValue* older = nullptr;  // in this fiber
};

struct LocalTable {
  std::vector<LocalValue*> values;  // by LocalKey::index
  LocalValue* newest = nullptr;
  std::uint64_t ident = 0;  // GetIdent(), once asked for
};

std::shared_ptr<LocalKey> MakeLocalKey(void (*destroy)(void*) noexcept);
// The GreenLocal ends: destroys what all fibers keep there, oldest first. The fibers' nodes stay
// until they end or another GreenLocal takes the place.
void EndLocalKey(LocalKey& key) noexcept;

// The running fiber's object, or null.
inline void* FindLocal(const LocalKey& key) {
  const LocalTable* table = CurrentFiber()->locals;
  if (table == nullptr || key.index >= table->values.size()) return nullptr;
  const LocalValue* value = table->values[key.index];
  return value != nullptr && value->key.get() == &key ? value->object : nullptr;
}
// Gives the running fiber `object`, which it takes over unless this throws. It has none there yet.
void AddLocal(const std::shared_ptr<LocalKey>& key, void* object);
// Destroys the running fiber's object, if it has one.
void RemoveLocal(const LocalKey& key) noexcept;

std::uint64_t CurrentIdent();

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_LOCALS_H_

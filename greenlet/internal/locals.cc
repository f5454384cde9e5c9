#include "greenlet/internal/locals.h"

#include <atomic>
#include <utility>

#include "greenlet/internal/variables.h"

namespace verdant::internal {
namespace {

// Slots of the fibers' tables. Never destroyed: static objects may end later.
struct LocalIndices {
  std::mutex mutex;
  std::vector<std::size_t> free;
  std::size_t next = 0;
};
LocalIndices& Indices() {
  static auto* indices = new LocalIndices;
  return *indices;
}

LocalTable& TableOf(Fiber& fiber) {
  if (fiber.locals == nullptr) fiber.locals = new LocalTable;
  return *fiber.locals;
}

// The object, if it is still the fiber's to destroy.
void* TakeObject(LocalValue& value) noexcept {
  LocalKey& key = *value.key;
  const std::lock_guard<std::mutex> lock(key.mutex);
  if (value.object == nullptr) return nullptr;
  (value.previous != nullptr ? value.previous->next : key.first) = value.next;
  (value.next != nullptr ? value.next->previous : key.last) = value.previous;
  return std::exchange(value.object, nullptr);
}

// Off the fiber's table and list, and destroyed.
void EndValue(LocalTable& table, LocalValue* value) noexcept {
  LocalValue** at = &table.newest;
  while (*at != value) at = &(*at)->older;
  *at = value->older;
  LocalValue*& slot = table.values[value->key->index];
  if (slot == value) slot = nullptr;
  const std::unique_ptr<LocalValue> node(value);
  if (void* object = TakeObject(*value); object != nullptr) value->key->destroy(object);
}

}  // namespace

std::shared_ptr<LocalKey> MakeLocalKey(void (*destroy)(void*) noexcept) {
  LocalIndices& indices = Indices();
  std::unique_lock<std::mutex> lock(indices.mutex);
  std::size_t index;
  if (!indices.free.empty()) {
    index = indices.free.back();
    indices.free.pop_back();
  } else {
    indices.free.reserve(indices.next + 1);
    index = indices.next++;
  }
  lock.unlock();
  return std::make_shared<LocalKey>(index, destroy);
}

void EndLocalKey(LocalKey& key) noexcept {
  for (;;) {
    void* object;
    {
      const std::lock_guard<std::mutex> lock(key.mutex);
      LocalValue* value = key.first;
      if (value == nullptr) break;
      key.first = value->next;
      (key.first != nullptr ? key.first->previous : key.last) = nullptr;
      object = std::exchange(value->object, nullptr);
    }
    key.destroy(object);
  }
  LocalIndices& indices = Indices();
  const std::lock_guard<std::mutex> lock(indices.mutex);
  indices.free.push_back(key.index);  // room was made when it was given out
}

void AddLocal(const std::shared_ptr<LocalKey>& key, void* object) {
  LocalTable& table = TableOf(*CurrentFiber());
  if (table.values.size() <= key->index) table.values.resize(key->index + 1);
  // One that another GreenLocal, now gone, left in the slot.
  if (table.values[key->index] != nullptr) EndValue(table, table.values[key->index]);
  auto* value = new LocalValue{key, object, nullptr, nullptr, table.newest};
  table.newest = value;
  table.values[key->index] = value;
  const std::lock_guard<std::mutex> lock(key->mutex);
  value->previous = key->last;
  (key->last != nullptr ? key->last->next : key->first) = value;
  key->last = value;
}

void RemoveLocal(const LocalKey& key) noexcept {
  if (FindLocal(key) == nullptr) return;
  LocalTable& table = *CurrentFiber()->locals;
  EndValue(table, table.values[key.index]);
}

std::uint64_t CurrentIdent() {
  static std::atomic<std::uint64_t> last{0};
  LocalTable& table = TableOf(*CurrentFiber());
  if (table.ident == 0) table.ident = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return table.ident;
}

void ReleaseFiberDataSlow(Fiber& fiber) noexcept {
  // What a destructor touches anew is destroyed in its turn.
  if (LocalTable* table = fiber.locals; table != nullptr) {
    while (table->newest != nullptr) EndValue(*table, table->newest);
    fiber.locals = nullptr;
    delete table;
  }
  if (VariableMap* variables = std::exchange(fiber.variables, nullptr); variables != nullptr) {
    VariableMap::Unref(variables);
  }
}

}  // namespace verdant::internal

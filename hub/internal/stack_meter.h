#ifndef VERDANT_HUB_INTERNAL_STACK_METER_H_
#define VERDANT_HUB_INTERNAL_STACK_METER_H_

#include <cstddef>
#include <memory>

#include "greenlet/source_location.h"
#include "hub/internal/task_extras.h"

namespace verdant::internal {

// Measures every so-manieth green thread of a hub. What is not measured pays nothing: a hub without
// spawn hooks has none; one that is measured has its interrupt flag set, which leads it aside as it
// begins, and extras, which lead it aside as it ends.
std::shared_ptr<SpawnHooks> MakeStackMeter(std::size_t every);

// For the hub, of a task with extras, on its own stack.
void BeginStackMeasurement(Task& task) noexcept;
void EndStackMeasurement(Task& task) noexcept;

// Into the table.
void NoteStackUse(SourceLocation site, std::size_t stack_size, std::size_t used);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_STACK_METER_H_

#include "hub/shield.h"

#include "hub/internal/scope_deadline.h"

namespace verdant {

using internal::Interrupt;
using internal::List;
using internal::TaskExtras;

namespace {

// Moves those interrupts of which `moves` is true, in order.
template <typename From, typename To, typename Moves>
void MoveSome(List<From>& from, List<To>& to, Moves moves) {
  for (From* node = from.front(); node != nullptr;) {
    From* next = from.next(node);
    auto* interrupt = static_cast<Interrupt*>(node);
    if (moves(*interrupt)) {
      interrupt->Unlink();
      to.PushBack(interrupt);
    }
    node = next;
  }
}

}  // namespace

Shield::Shield() : task_(Hub::Current().CurrentTask()) {
  TaskExtras& extras = task_->Extras();
  const ContextVar<Deadline>& deadline = internal::ScopeDeadline();
  if (!deadline.Get().never()) no_deadline_.emplace(deadline, Deadline::Never());
  ++extras.shields;
  MoveSome(task_->interrupts, extras.withheld,
           [&](const Interrupt& i) { return i.shields < extras.shields; });
}

Shield::~Shield() {
  TaskExtras& extras = *task_->extras;
  --extras.shields;
  List<Interrupt> due;
  MoveSome(extras.withheld, due, [&](const Interrupt& i) { return i.shields >= extras.shields; });
  while (Interrupt* interrupt = due.PopFront()) task_->hub->Deliver(task_, interrupt);
}

bool Shield::Hit() const { return !task_->extras->withheld.empty(); }

}  // namespace verdant

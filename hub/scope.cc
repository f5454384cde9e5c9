#include "hub/scope.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "hub/internal/scope_deadline.h"

namespace verdant {

Deadline CurrentDeadline() { return internal::ScopeDeadline().Get(); }

Scope::Scope(ScopeOptions options, SourceLocation site)
    : owner_(Hub::Current().CurrentTask()), persist_(options.persist), site_(site) {
  if (persist_ <= absl::ZeroDuration()) {
    throw std::logic_error("Scope: ScopeOptions::persist is not positive");
  }
  SetUpBy(owner_->extras.get());
  if (options.deadline.never()) return;
  timeout_.emplace(options.deadline.Remaining(), "a scope");
  if (options.deadline < CurrentDeadline())
    deadline_.emplace(internal::ScopeDeadline(), options.deadline);
}

Scope::~Scope() {
  timeout_.reset();
  SeeThrough();
  deadline_.reset();
}

// In the child of a fork: its children are the parent's.
bool Scope::LeftToParent() {
  if (owner_->hub == internal::current_hub) return false;
  home_.Check("a Scope");
  children_.clear();
  return true;
}

void Scope::Adopt(const AnyGreenThread& child) {
  if (LeftToParent()) [[unlikely]] {
    child.KillSoon();
    throw std::logic_error("Scope::Spawn in the child of a fork");
  }
  children_.push_back(child);
  const auto place = std::prev(children_.end());
  child.Link([this, place] { OnEnd(place); });
  if (cancelled_) child.KillSoon();
}

void Scope::OnEnd(Children::iterator place) {
  const AnyGreenThread child = std::move(*place);
  children_.erase(place);
  if (!child.Successful() && !child.Killed()) Fail(child.Error());
  if (!children_.empty()) return;
  persistence_.Cancel();
  if (waiting_) owner_->hub->Wake(owner_);
}

void Scope::Fail(std::exception_ptr error) {
  if (cancelled_ || leaving_) {
    owner_->hub->ReportUncaught(
        absl::StrCat("a green thread of the scope at ", site_.file_name(), ":", site_.line(),
                     ", which another's end had cancelled"),
        error);
    return;
  }
  error_ = std::move(error);
  Cancel();
  owner_->hub->Deliver(owner_, this);
}

void Scope::Raise() { std::rethrow_exception(std::exchange(error_, nullptr)); }

void Scope::Cancel() {
  if (cancelled_ || LeftToParent()) return;
  cancelled_ = true;
  for (const AnyGreenThread& child : children_) child.KillSoon();
  if (!children_.empty()) {
    persistence_ = owner_->hub->ScheduleCall(
        persist_, [this] { Persist(); }, site_);
  }
}

void Scope::Persist() {
  if (!std::exchange(told_, true)) {
    const std::string text =
        absl::StrCat(children_.front().Description(), " lives on ", absl::FormatDuration(persist_),
                     " after it was cancelled");
    owner_->hub->ReportUncaught(absl::StrCat("the scope at ", site_.file_name(), ":", site_.line()),
                                std::make_exception_ptr(std::runtime_error(text)));
  }
  for (const AnyGreenThread& child : children_) {
    const internal::Task* task = child.Checked();
    // One whose last exception is still to come needs no other.
    if (task->interrupts.empty() && (task->extras == nullptr || task->extras->withheld.empty())) {
      child.KillSoon();
    }
  }
  persistence_ = owner_->hub->ScheduleCall(
      persist_, [this] { Persist(); }, site_);
}

void Scope::Join() {
  if (LeftToParent()) return;
  Hub& hub = Hub::Current();
  if (&hub != owner_->hub || hub.CurrentTask() != owner_) {
    throw std::logic_error("Scope::Join: only the green thread that made the scope can join it");
  }
  try {
    while (!children_.empty()) {
      waiting_ = true;
      hub.Park(owner_, {"Scope::Join"});
    }
    waiting_ = false;
    if (error_ != nullptr) {
      Interrupt::Unlink();
      Raise();
    }
  } catch (...) {
    SeeThrough();
    throw;
  }
}

void Scope::SeeThrough() {
  if (LeftToParent()) return;
  leaving_ = true;
  Cancel();
  waiting_ = true;
  while (!children_.empty()) owner_->hub->ParkUninterrupted(owner_, {"the end of a Scope"});
  waiting_ = false;
  Interrupt::Unlink();
  if (error_ == nullptr) return;
  const std::exception_ptr error = std::exchange(error_, nullptr);
  owner_->hub->ReportUncaught(absl::StrCat("a green thread of the scope at ", site_.file_name(),
                                           ":", site_.line(), ", which the owner left before"),
                              error);
}

}  // namespace verdant

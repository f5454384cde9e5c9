#include "hub/assert_switches.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace verdant::internal {

SwitchMeter::SwitchMeter()
    : hub_(Hub::Current()), switches_(hub_.counts().switches), since_(hub_.NowNanos()) {
  hub_.hooks().prepare.PushBack(&before_poll_);
  hub_.hooks().check.PushBack(&after_poll_);
}

void SwitchMeter::NoteTurn() { longest_ = std::max(longest_, hub_.NowNanos() - since_); }

void SwitchMeter::Check(absl::Duration longest_allowed) {
  if (hub_.counts().switches == switches_) {
    throw FailedToSwitch("AssertSwitches: the call let nobody else run");
  }
  NoteTurn();
  const absl::Duration longest = absl::Nanoseconds(longest_);
  if (longest > longest_allowed) {
    throw FailedToSwitch(absl::StrCat("AssertSwitches: the hub was kept from turning for ",
                                      absl::FormatDuration(longest), ", more than ",
                                      absl::FormatDuration(longest_allowed)));
  }
}

}  // namespace verdant::internal

#include "green/internal/dns_lookup.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace verdant::green::dns {
namespace {

constexpr std::array<int, 2> kFamilies = {AF_INET6, AF_INET};

}  // namespace

std::vector<Address> Alternate(const std::vector<Address>& addresses) {
  std::vector<Address> in_turn;
  in_turn.reserve(addresses.size());
  const auto next = [&](auto from, bool v6) {
    return std::find_if(from, addresses.end(), [v6](const Address& a) { return a.is_v6() == v6; });
  };
  auto v6 = next(addresses.begin(), true);
  auto v4 = next(addresses.begin(), false);
  while (in_turn.size() < addresses.size()) {
    if (v6 != addresses.end()) {
      in_turn.push_back(*v6);
      v6 = next(v6 + 1, true);
    }
    if (v4 != addresses.end()) {
      in_turn.push_back(*v4);
      v4 = next(v4 + 1, false);
    }
  }
  return in_turn;
}

Lookup::Lookup(Hub& hub, Channel& channel, const Limits& limits, std::string error_prefix,
               std::vector<std::string> candidates, OnResult on_result)
    : hub_(hub),
      channel_(channel),
      limits_(limits),
      error_prefix_(std::move(error_prefix)),
      candidates_(std::move(candidates)),
      on_result_(std::move(on_result)) {}

void Lookup::Start() {
  answers_ = {};
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    channel_.Query(
        candidates_[candidate_], kFamilies[i],
        [self = shared_from_this(), i](Answer answer) { self->OnAnswer(i, std::move(answer)); });
  }
}

void Lookup::OnAnswer(std::size_t family, Answer answer) {
  answers_[family] = std::move(answer);
  if (answers_[0] && answers_[1]) {
    patience_.Cancel();
    Conclude();
  } else if (answers_[family]->kind == Answer::Kind::kAddresses) {
    patience_ = hub_.ScheduleCall(limits_.family_patience, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->StopWaitingForOtherFamily();
    });
  }
}

void Lookup::StopWaitingForOtherFamily() {
  const Answer& answer = answers_[0] ? *answers_[0] : *answers_[1];
  on_result_(
      {.outcome = {.addresses = answer.addresses}, .ttl = absl::ZeroDuration(), .complete = false});
}

void Lookup::Conclude() {
  for (const auto& answer : answers_) {
    if (answer->exception != nullptr) return Throw(answer->exception);
  }
  if (Any(Answer::Kind::kAddresses)) return Succeed();
  // A name that does not exist has no addresses of the other family either.
  if (Any(Answer::Kind::kNoSuchName) || Both(Answer::Kind::kNoData)) {
    exists_ = exists_ || !Any(Answer::Kind::kNoSuchName);
    NoteNegativeTtl();
    return NextCandidate();
  }
  if (Any(Answer::Kind::kTimedOut)) {
    return Finish(Error(absl::StatusCode::kDeadlineExceeded, "no answer in time"),
                  absl::ZeroDuration());
  }
  for (const auto& answer : answers_) {
    if (failure_.empty()) failure_ = answer->cause;
  }
  NextCandidate();
}

void Lookup::Succeed() {
  std::vector<Address> all = answers_[0]->addresses;
  all.insert(all.end(), answers_[1]->addresses.begin(), answers_[1]->addresses.end());
  on_result_({.outcome = {.addresses = Alternate(all)}, .ttl = PositiveTtl(), .complete = true});
}

void Lookup::NextCandidate() {
  if (++candidate_ < candidates_.size()) return Start();
  if (!failure_.empty()) {
    return Finish(Error(absl::StatusCode::kUnavailable, failure_), absl::ZeroDuration());
  }
  Finish(Error(absl::StatusCode::kNotFound,
               exists_ ? "the name exists but has no address" : "no such name"),
         std::clamp(negative_ttl_, limits_.negative_ttl_floor, limits_.negative_ttl_ceiling));
}

void Lookup::Finish(absl::Status status, absl::Duration ttl) {
  on_result_({.outcome = {.status = std::move(status)}, .ttl = ttl, .complete = true});
}

void Lookup::Throw(std::exception_ptr exception) {
  on_result_({.outcome = {.exception = std::move(exception)},
              .ttl = absl::ZeroDuration(),
              .complete = true});
}

bool Lookup::Both(Answer::Kind kind) const {
  return answers_[0]->kind == kind && answers_[1]->kind == kind;
}

bool Lookup::Any(Answer::Kind kind) const {
  return answers_[0]->kind == kind || answers_[1]->kind == kind;
}

absl::Duration Lookup::PositiveTtl() const {
  absl::Duration ttl = limits_.ttl_ceiling;
  for (const auto& answer : answers_) {
    if (answer->kind == Answer::Kind::kAddresses) {
      ttl = std::min(ttl, std::max(answer->ttl.value_or(limits_.ttl_floor), limits_.ttl_floor));
    } else if (answer->kind != Answer::Kind::kNoData) {
      // The other family's addresses are missing for now only.
      ttl = std::min(ttl, limits_.negative_ttl_floor);
    }
  }
  return ttl;
}

void Lookup::NoteNegativeTtl() {
  for (const auto& answer : answers_) {
    if (answer->kind != Answer::Kind::kNoData && answer->kind != Answer::Kind::kNoSuchName)
      continue;
    negative_ttl_ = std::min(negative_ttl_, answer->ttl.value_or(limits_.negative_ttl_floor));
  }
}

absl::Status Lookup::Error(absl::StatusCode code, std::string_view what) const {
  return absl::Status(code,
                      absl::StrCat(error_prefix_, ": ", what, " (asked ", channel_.servers(), ")"));
}

}  // namespace verdant::green::dns

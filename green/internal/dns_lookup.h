#ifndef VERDANT_GREEN_INTERNAL_DNS_LOOKUP_H_
#define VERDANT_GREEN_INTERNAL_DNS_LOOKUP_H_

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "green/internal/dns_answer.h"
#include "green/internal/dns_cache.h"
#include "green/internal/dns_channel.h"
#include "hub/hub.h"

namespace verdant::green::dns {

// The same addresses, IPv6 and IPv4 in turn as far as there are both, so that whoever tries them in
// order meets the other family after one failure (RFC 8305, section 4).
std::vector<Address> Alternate(const std::vector<Address>& addresses);

// The search for the addresses of one name over a channel: both families at once for one candidate
// after the other until one has addresses. Happens on the hub's stack.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  struct Limits {
    absl::Duration family_patience;
    absl::Duration ttl_floor, ttl_ceiling;
    absl::Duration negative_ttl_floor, negative_ttl_ceiling;
  };
  struct Result {
    Outcome outcome;
    absl::Duration ttl;  // how long it may be kept; zero: not at all
    bool complete;       // otherwise one family has answered, and all of it follows
  };
  using OnResult = absl::AnyInvocable<void(Result)>;

  // `error_prefix` begins each error. The channel outlives every answer it gives.
  Lookup(Hub& hub, Channel& channel, const Limits& limits, std::string error_prefix,
         std::vector<std::string> candidates, OnResult on_result);
  ~Lookup() { patience_.Cancel(); }

  void Start();

 private:
  void OnAnswer(std::size_t family, Answer answer);
  void StopWaitingForOtherFamily();
  void Conclude();
  void Succeed();
  void NextCandidate();
  void Finish(absl::Status status, absl::Duration ttl);
  void Throw(std::exception_ptr exception);
  bool Both(Answer::Kind kind) const;
  bool Any(Answer::Kind kind) const;
  absl::Duration PositiveTtl() const;
  void NoteNegativeTtl();
  absl::Status Error(absl::StatusCode code, std::string_view what) const;

  Hub& hub_;
  Channel& channel_;
  const Limits limits_;
  const std::string error_prefix_;
  const std::vector<std::string> candidates_;
  OnResult on_result_;
  std::size_t candidate_ = 0;
  std::array<std::optional<Answer>, 2> answers_;  // IPv6's, IPv4's
  TimerHandle patience_;
  bool exists_ = false;  // some candidate does, though without addresses
  std::string failure_;  // of a candidate that was passed over
  absl::Duration negative_ttl_ = absl::InfiniteDuration();
};

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_LOOKUP_H_

#ifndef VERDANT_GREEN_DNS_H_
#define VERDANT_GREEN_DNS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "hub/clock.h"

namespace verdant::green {

// Finds the addresses of names without blocking the thread: the hosts file, then DNS by c-ares, on
// sockets and timers of the hub. Row A14.2.
//
// Belongs to the hub of the thread that made it, and is used by that hub's green threads only; any
// other use throws std::logic_error. Destroyed while green threads wait in Resolve(), it lets each
// of them go with Cancelled.
class Resolver {
 public:
  struct Options {
    // Where to ask: "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"; the next
    // one when one does not answer. Empty: those of resolv_conf, and that file's search domains.
    std::vector<std::string> servers = {};
    // Read again when it has changed. With `servers` given, not read at all.
    std::string resolv_conf = "/etc/resolv.conf";
    // With `servers` given: domains under which to try names of fewer than `ndots` dots first and
    // others last. A name written with a final dot is tried as it is only.
    std::vector<std::string> search = {};
    std::size_t ndots = 1;
    // Asked before DNS; read again when it has changed. Empty: none.
    std::string hosts_file = "/etc/hosts";
    // The two files are looked at no more often than this.
    absl::Duration file_interval = absl::Seconds(5);

    // For an answer, at first: later tries wait longer, tries at servers known to be fast shorter,
    // 250 ms at least. Each server is tried `tries` times.
    absl::Duration timeout = absl::Seconds(2);
    int tries = 3;
    // How long to wait for the addresses of the other family once those of one are there.
    absl::Duration family_patience = absl::Milliseconds(500);
    // Names looked up at a time; others wait their turn.
    std::size_t max_lookups = 256;

    // The cache: names kept, the least recently asked for going first; 0: none. An answer is kept
    // for as long as its TTL says, though no shorter and no longer than this. Failures to get an
    // answer are not kept.
    std::size_t cache_size = 10000;
    absl::Duration ttl_floor = absl::ZeroDuration();
    absl::Duration ttl_ceiling = absl::Hours(1);
    // The same for the answer that there is nothing, whose TTL is the zone's (RFC 2308); the floor
    // alone counts when the server names no zone.
    absl::Duration negative_ttl_floor = absl::Seconds(1);
    absl::Duration negative_ttl_ceiling = absl::Minutes(1);

    Clock* clock = nullptr;  // of the cache and of file_interval; null: the hub's
  };

  // InvalidArgument, saying which option is wrong, for options that make no sense.
  static absl::StatusOr<std::unique_ptr<Resolver>> Create(Options options);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // The hub's own, which Resolve() below uses: made with default options at first use.
  static Resolver& Current();
  // Puts another in its place; null: one with default options, when next needed.
  static void SetCurrent(std::unique_ptr<Resolver> resolver);

  // The addresses of `host`, each with `port`: at least one. IPv6 and IPv4 in turn, beginning with
  // IPv6, as far as there are both (RFC 8305), each family in the order the server or the file
  // gives.
  //
  // In this order: an IPv4 or IPv6 literal, the latter perhaps in brackets and with a scope
  // ("[fe80::1%eth0]"), is its own address; "localhost" and names under it are always ::1 and
  // 127.0.0.1 (RFC 6761); then the hosts file; then the cache; then DNS, AAAA and A at once,
  // following aliases. Case does not matter. Of several green threads that want the same name one
  // look-up serves all. Internationalized names must be in their ASCII form (xn--...).
  //
  // Parks unless the answer is at hand. A look-up outlives the green threads that wait for it, for
  // the cache's sake. Errors, each naming the host and for DNS the servers:
  //   InvalidArgument   neither a well-formed name nor a literal
  //   NotFound          the name does not exist or has no address
  //   DeadlineExceeded  no answer by `deadline`, or to any of the tries
  //   Unavailable       the servers cannot be reached, fail, or refuse to answer
  //   Cancelled         the resolver was destroyed
  absl::StatusOr<std::vector<Address>> Resolve(std::string_view host, std::uint16_t port,
                                               Deadline deadline = Deadline::Never());

  // Forgets all answers.
  void ClearCache();

  struct Stats {
    std::uint64_t lookups = 0;  // begun
    std::uint64_t cache_hits = 0;
    std::uint64_t joined = 0;   // calls of Resolve() that waited for a look-up begun for another
    std::size_t cached = 0;     // names in the cache
    std::size_t under_way = 0;  // look-ups, those that wait their turn included
  };
  Stats stats() const;

 private:
  struct State;
  explicit Resolver(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Resolver::Current().Resolve().
absl::StatusOr<std::vector<Address>> Resolve(std::string_view host, std::uint16_t port,
                                             Deadline deadline = Deadline::Never());

}  // namespace verdant::green

#endif  // VERDANT_GREEN_DNS_H_

#ifndef VERDANT_GREEN_INTERNAL_DNS_CHANNEL_H_
#define VERDANT_GREEN_INTERNAL_DNS_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ares.h"
#include "green/internal/dns_answer.h"
#include "hub/hub.h"
#include "hub/io.h"

namespace verdant::green::dns {

// c-ares driven by a hub: its sockets are watched, its timeouts are timers. All of it, the calls
// below included, happens on the hub's stack, since nobody knows how much stack c-ares needs.
//
// C frames are never unwound: what c-ares calls back with is only written down, and acted upon once
// the call into c-ares has returned.
class Channel {
 public:
  struct Settings {
    std::string servers;      // for ares_set_servers_csv(); empty: resolv_conf's
    std::string resolv_conf;  // path
    absl::Duration timeout;
    int tries = 3;
  };

  static absl::StatusOr<std::unique_ptr<Channel>> Open(Hub& hub, const Settings& settings);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  // Drops the queries that are under way without a word. Not to be destroyed in a Done.
  ~Channel();

  // Asks for the addresses of a full name. `done` is called exactly once unless the channel is
  // destroyed before, perhaps before this returns.
  using Done = absl::AnyInvocable<void(Answer)>;
  void Query(std::string name, int family, Done done);

  // "DNS server 192.0.2.1:53", or several.
  const std::string& servers() const { return servers_; }
  std::size_t pending() const { return pending_; }

 private:
  struct Pending;
  struct Finished {
    Done done;
    Answer answer;
  };

  explicit Channel(Hub& hub) : hub_(hub) {}

  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable) noexcept;
  static void OnAnswer(void* arg, ares_status_t status, std::size_t timeouts,
                       const ares_dns_record_t* record) noexcept;

  // Makes calls into c-ares, then does what they have led to.
  void Run(absl::FunctionRef<void()> calls);
  void Listen(int fd, std::uint32_t events);
  void OnReady(int fd, std::uint32_t events);
  void ArmTimer();

  Hub& hub_;
  ares_channel_t* channel_ = nullptr;
  std::string servers_;
  absl::flat_hash_map<int, std::unique_ptr<FdListener>> listeners_;
  // A socket may be closed while its own listener runs, which therefore ends later.
  std::vector<std::unique_ptr<FdListener>> retired_;
  TimerHandle timer_;
  std::deque<Finished> finished_;
  std::size_t pending_ = 0;
  bool running_ = false;
  bool closing_ = false;
  std::exception_ptr exception_;  // thrown inside a callback of c-ares
};

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_CHANNEL_H_

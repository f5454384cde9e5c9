#include "green/internal/dns_channel.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hub/internal/poller.h"

namespace verdant::green::dns {

using verdant::kIoHangup;
using verdant::kIoNone;
using verdant::kIoRead;
using verdant::kIoWrite;

struct Channel::Pending {
  Channel* channel;
  std::string name;
  int family;
  Done done;
};

absl::StatusOr<std::unique_ptr<Channel>> Channel::Open(Hub& hub, const Settings& settings) {
  std::unique_ptr<Channel> channel(new Channel(hub));
  std::string resolv_conf = settings.resolv_conf;
  char lookups[] = "b";
  ares_options options = {};
  options.timeout = static_cast<int>(absl::ToInt64Milliseconds(settings.timeout));
  options.tries = settings.tries;
  options.lookups = lookups;
  options.sock_state_cb = &Channel::OnSocketState;
  options.sock_state_cb_data = channel.get();
  options.resolvconf_path = resolv_conf.data();
  // A port of its own for each query makes forged answers harder (RFC 5452).
  options.udp_max_queries = 1;
  options.qcache_max_ttl = 0;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
                   ARES_OPT_RESOLVCONF | ARES_OPT_UDP_MAX_QUERIES | ARES_OPT_QUERY_CACHE;
  if (const int status = ares_init_options(&channel->channel_, &options, mask);
      status != ARES_SUCCESS) {
    channel->channel_ = nullptr;
    return absl::UnavailableError(absl::StrCat("c-ares does not start: ", ares_strerror(status)));
  }
  if (!settings.servers.empty()) {
    if (const int status = ares_set_servers_csv(channel->channel_, settings.servers.c_str());
        status != ARES_SUCCESS) {
      return absl::InvalidArgumentError(absl::StrCat(
          "c-ares does not take the servers ", settings.servers, ": ", ares_strerror(status)));
    }
  }
  if (char* csv = ares_get_servers_csv(channel->channel_); csv != nullptr) {
    const absl::Cleanup free_csv = [csv] { ares_free_string(csv); };
    channel->servers_ = absl::StrCat(absl::StrContains(csv, ',') ? "DNS servers " : "DNS server ",
                                     absl::StrReplaceAll(csv, {{",", ", "}}));
  }
  return channel;
}

Channel::~Channel() {
  timer_.Cancel();
  closing_ = true;
  if (channel_ != nullptr) ares_destroy(channel_);
}

void Channel::Query(std::string name, int family, Done done) {
  auto query = std::make_unique<Pending>(Pending{this, std::move(name), family, std::move(done)});
  ++pending_;
  Run([&] {
    Pending* raw = query.release();
    ares_query_dnsrec(channel_, raw->name.c_str(), ARES_CLASS_IN,
                      family == AF_INET ? ARES_REC_TYPE_A : ARES_REC_TYPE_AAAA, &Channel::OnAnswer,
                      raw, nullptr);
  });
}

void Channel::Run(absl::FunctionRef<void()> calls) {
  if (running_) return calls();  // from a Done: whoever runs it goes on below
  running_ = true;
  const absl::Cleanup stop_running = [this] { running_ = false; };
  retired_.clear();
  calls();
  for (;;) {
    if (exception_ != nullptr) ares_cancel(channel_);
    exception_ = nullptr;
    if (finished_.empty()) break;
    Finished finished = std::move(finished_.front());
    finished_.pop_front();
    --pending_;
    finished.done(std::move(finished.answer));
  }
  ArmTimer();
}

void Channel::OnAnswer(void* arg, ares_status_t status, std::size_t /*timeouts*/,
                       const ares_dns_record_t* record) noexcept {
  const std::unique_ptr<Pending> query(static_cast<Pending*>(arg));
  Channel& channel = *query->channel;
  if (channel.closing_) return;
  Answer answer;
  try {
    if (channel.exception_ != nullptr) {
      answer.exception = channel.exception_;
    } else {
      answer = ReadAnswer(status, record, query->name, query->family);
    }
  } catch (...) {
    answer.exception = std::current_exception();
  }
  channel.finished_.push_back({std::move(query->done), std::move(answer)});
}

void Channel::OnSocketState(void* self, ares_socket_t fd, int readable, int writable) noexcept {
  auto* channel = static_cast<Channel*>(self);
  try {
    channel->Listen(fd, (readable != 0 ? kIoRead : kIoNone) | (writable != 0 ? kIoWrite : kIoNone));
  } catch (...) {
    channel->exception_ = std::current_exception();
  }
}

void Channel::Listen(int fd, std::uint32_t events) {
  if (events == kIoNone) {
    const auto at = listeners_.find(fd);
    if (at == listeners_.end()) return;
    at->second->DescriptorClosing();
    retired_.push_back(std::move(at->second));
    listeners_.erase(at);
    return;
  }
  std::unique_ptr<FdListener>& listener = listeners_[fd];
  if (listener == nullptr) {
    listener =
        std::make_unique<FdListener>(fd, [this, fd](std::uint32_t ready) { OnReady(fd, ready); });
  }
  listener->SetInterest(events);
}

void Channel::OnReady(int fd, std::uint32_t events) {
  ares_fd_events_t ready = {.fd = fd, .events = ARES_FD_EVENT_NONE};
  if ((events & (kIoRead | kIoHangup)) != 0) ready.events |= ARES_FD_EVENT_READ;
  if ((events & (kIoWrite | kIoHangup)) != 0) ready.events |= ARES_FD_EVENT_WRITE;
  Run([&] { ares_process_fds(channel_, &ready, 1, ARES_PROCESS_FLAG_NONE); });
}

void Channel::ArmTimer() {
  timer_.Cancel();
  timeval left;
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return;
  // c-ares takes a deadline for passed only when its clock is beyond it.
  timer_ = hub_.ScheduleCall(absl::DurationFromTimeval(left) + absl::Microseconds(1), [this] {
    Run([this] { ares_process_fds(channel_, nullptr, 0, ARES_PROCESS_FLAG_NONE); });
  });
}

}  // namespace verdant::green::dns

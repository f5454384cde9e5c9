#include "green/dns.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "green/internal/dns_cache.h"
#include "green/internal/dns_channel.h"
#include "green/internal/dns_files.h"
#include "green/internal/dns_lookup.h"
#include "green/internal/dns_name.h"
#include "hub/clock.h"
#include "hub/hub.h"

namespace verdant::green {
namespace {

constexpr std::uint16_t kDnsPort = 53;

using SharedOutcome = std::shared_ptr<const dns::Outcome>;

struct ResolveWaiter : verdant::internal::Waiter {
  using Waiter::Waiter;
  SharedOutcome outcome;
};

// A name that is being looked up, and who waits for it.
struct Flight {
  dns::Host host;
  verdant::internal::WaitList waiters;
  SharedOutcome early;  // the one family that has answered, while the other is waited for no more
  std::shared_ptr<dns::Lookup> lookup;

  void Wake(const SharedOutcome& outcome) {
    while (verdant::internal::Waiter* waiter = waiters.PopFront()) {
      static_cast<ResolveWaiter*>(waiter)->outcome = outcome;
      waiter->task->hub->Wake(waiter->task);
    }
  }
};

absl::StatusOr<std::vector<Address>> WithPort(const std::vector<Address>& addresses,
                                              std::uint16_t port) {
  std::vector<Address> result;
  result.reserve(addresses.size());
  for (const Address& address : addresses) result.push_back(address.WithPort(port));
  return result;
}

absl::StatusOr<std::vector<Address>> Deliver(const dns::Outcome& outcome, std::uint16_t port) {
  if (outcome.exception != nullptr) std::rethrow_exception(outcome.exception);
  if (!outcome.status.ok()) return outcome.status;
  return WithPort(outcome.addresses, port);
}

absl::StatusOr<std::string> ServersForCares(const std::vector<std::string>& servers) {
  std::vector<std::string> all;
  for (const std::string& server : servers) {
    absl::StatusOr<Address> address = Address::Parse(server);
    if (!address.ok() || !address->is_ip()) {
      std::string_view ip = server;
      if (absl::ConsumePrefix(&ip, "[")) absl::ConsumeSuffix(&ip, "]");
      address = Address::FromIp(ip, kDnsPort);
    }
    if (!address.ok() || address->port() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("Resolver: '", server, "' is not the address of a DNS server"));
    }
    all.push_back(address->ToString());
  }
  return absl::StrJoin(all, ",");
}

absl::Status Check(const Resolver::Options& options) {
  const char* wrong = nullptr;
  if (options.timeout < absl::Milliseconds(1) || options.timeout > absl::Hours(1)) {
    wrong = "timeout must be between a millisecond and an hour";
  } else if (options.tries < 1 || options.tries > 100) {
    wrong = "tries must be between 1 and 100";
  } else if (options.max_lookups == 0) {
    wrong = "max_lookups must not be 0";
  } else if (options.ttl_floor > options.ttl_ceiling) {
    wrong = "ttl_floor is above ttl_ceiling";
  } else if (options.negative_ttl_floor > options.negative_ttl_ceiling) {
    wrong = "negative_ttl_floor is above negative_ttl_ceiling";
  }
  return wrong == nullptr ? absl::OkStatus()
                          : absl::InvalidArgumentError(absl::StrCat("Resolver: ", wrong));
}

thread_local std::unique_ptr<Resolver> current_resolver;

}  // namespace

struct Resolver::State : std::enable_shared_from_this<State> {
  // `servers` as c-ares takes them, or empty.
  State(Options o, const std::string& servers)
      : hub(Hub::Current()),
        options(std::move(o)),
        clock(options.clock != nullptr ? *options.clock : hub_clock),
        hosts(options.hosts_file, clock, options.file_interval),
        resolv_conf(servers.empty() ? options.resolv_conf : "", clock, options.file_interval),
        search{options.search, options.ndots},
        cache(options.cache_size, clock),
        settings{.servers = servers,
                 .resolv_conf = servers.empty() ? options.resolv_conf : "/dev/null",
                 .timeout = options.timeout,
                 .tries = options.tries} {}
  ~State();

  struct HubClock final : Clock {
    std::int64_t NowNanos() override { return Hub::Current().NowNanos(); }
  };

  absl::StatusOr<std::vector<Address>> Wait(std::shared_ptr<Flight> flight, std::string_view host,
                                            std::uint16_t port, Deadline deadline);
  std::shared_ptr<Flight> Begin(dns::Host host);
  void PostStart();
  void StartQueued();
  void Start(const std::shared_ptr<Flight>& flight);
  absl::Status FollowResolvConf();
  void OnResult(const std::shared_ptr<Flight>& flight, dns::Lookup::Result result);

  Hub& hub;
  const Options options;
  HubClock hub_clock;
  Clock& clock;
  dns::HostsFile hosts;
  dns::WatchedFile resolv_conf;
  dns::SearchRules search;
  dns::Cache cache;
  const dns::Channel::Settings settings;
  absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights;
  std::deque<std::shared_ptr<Flight>> queue;  // not started yet
  std::size_t started = 0;
  bool start_posted = false;
  Stats stats;
  std::unique_ptr<dns::Channel> channel;
  std::vector<std::unique_ptr<dns::Channel>> outdated;  // with answers still to come
};

Resolver::State::~State() {
  for (const auto& [name, flight] : flights) {
    const auto cancelled = std::make_shared<dns::Outcome>();
    cancelled->status = absl::CancelledError(
        absl::StrCat(dns::CannotResolve(name), ": the resolver was destroyed during the look-up"));
    flight->Wake(cancelled);
  }
}

std::shared_ptr<Flight> Resolver::State::Begin(dns::Host host) {
  auto flight = std::make_shared<Flight>();
  flight->host = std::move(host);
  flights.emplace(flight->host.Key(), flight);
  queue.push_back(flight);
  PostStart();
  return flight;
}

void Resolver::State::PostStart() {
  if (start_posted) return;
  start_posted = true;
  // c-ares is to have the hub's stack, not that of a green thread.
  hub.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->StartQueued();
  });
}

void Resolver::State::StartQueued() {
  start_posted = false;
  std::erase_if(outdated, [](const auto& old) { return old->pending() == 0; });
  while (started < options.max_lookups && !queue.empty()) {
    const std::shared_ptr<Flight> flight = std::move(queue.front());
    queue.pop_front();
    if (flight->waiters.empty()) {
      flights.erase(flight->host.Key());
      continue;
    }
    Start(flight);
  }
}

void Resolver::State::Start(const std::shared_ptr<Flight>& flight) {
  ++started;
  ++stats.lookups;
  if (absl::Status status = FollowResolvConf(); !status.ok()) {
    dns::Lookup::Result failed = {.outcome = {}, .ttl = absl::ZeroDuration(), .complete = true};
    failed.outcome.status = absl::Status(
        status.code(), absl::StrCat(dns::CannotResolve(flight->host.name), ": ", status.message()));
    return OnResult(flight, std::move(failed));
  }
  const dns::Lookup::Limits limits = {
      .family_patience = options.family_patience,
      .ttl_floor = options.ttl_floor,
      .ttl_ceiling = options.ttl_ceiling,
      .negative_ttl_floor = options.negative_ttl_floor,
      .negative_ttl_ceiling = options.negative_ttl_ceiling,
  };
  flight->lookup = std::make_shared<dns::Lookup>(
      hub, *channel, limits, dns::CannotResolve(flight->host.name),
      dns::Candidates(flight->host, search.domains, search.ndots),
      [this, weak = std::weak_ptr<Flight>(flight)](dns::Lookup::Result result) {
        if (const auto alive = weak.lock()) OnResult(alive, std::move(result));
      });
  flight->lookup->Start();
}

absl::Status Resolver::State::FollowResolvConf() {
  if (const std::optional<std::string> text = resolv_conf.ReadIfChanged()) {
    search = dns::SearchRules::Parse(*text);
    if (channel != nullptr) outdated.push_back(std::move(channel));
  }
  if (channel != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<dns::Channel>> opened = dns::Channel::Open(hub, settings);
  if (!opened.ok()) return opened.status();
  channel = *std::move(opened);
  return absl::OkStatus();
}

void Resolver::State::OnResult(const std::shared_ptr<Flight>& flight, dns::Lookup::Result result) {
  const auto outcome = std::make_shared<const dns::Outcome>(std::move(result.outcome));
  if (!result.complete) {
    flight->early = outcome;
    return flight->Wake(outcome);
  }
  --started;
  const std::string key = flight->host.Key();
  flights.erase(key);
  if (outcome->exception == nullptr) cache.Put(key, outcome, result.ttl);
  flight->Wake(outcome);
  if (!queue.empty()) PostStart();
}

absl::StatusOr<std::vector<Address>> Resolver::State::Wait(std::shared_ptr<Flight> flight,
                                                           std::string_view host,
                                                           std::uint16_t port, Deadline deadline) {
  Hub& my_hub = hub;
  const std::weak_ptr<State> weak = weak_from_this();
  ResolveWaiter waiter(my_hub.CurrentTask());
  flight->waiters.PushBack(&waiter);
  // A green thread that never runs again must hold on to nothing; and the resolver may be gone
  // when this one does.
  flight = nullptr;
  my_hub.Park(waiter.task, {"Resolver::Resolve"}, deadline);
  if (waiter.outcome != nullptr) return Deliver(*waiter.outcome, port);
  const std::shared_ptr<State> self = weak.lock();
  const bool asked = self != nullptr && self->channel != nullptr;
  return absl::DeadlineExceededError(
      absl::StrCat(dns::CannotResolve(host), ": the deadline came before the answer",
                   asked ? absl::StrCat(" of ", self->channel->servers()) : ""));
}

Resolver::Resolver(std::shared_ptr<State> state) : state_(std::move(state)) {}
Resolver::~Resolver() = default;

absl::StatusOr<std::unique_ptr<Resolver>> Resolver::Create(Options options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  absl::StatusOr<std::string> servers = ServersForCares(options.servers);
  if (!servers.ok()) return servers.status();
  return std::unique_ptr<Resolver>(
      new Resolver(std::make_shared<State>(std::move(options), *servers)));
}

Resolver& Resolver::Current() {
  // The hub first: thread-local objects go in the reverse order of their making.
  Hub::Current();
  if (current_resolver == nullptr) current_resolver = *Create({});
  return *current_resolver;
}

void Resolver::SetCurrent(std::unique_ptr<Resolver> resolver) { current_resolver.swap(resolver); }

absl::StatusOr<std::vector<Address>> Resolver::Resolve(std::string_view host, std::uint16_t port,
                                                       Deadline deadline) {
  State& state = *state_;
  if (&state.hub != &Hub::Current()) {
    throw std::logic_error("Resolver::Resolve: this resolver belongs to another thread's hub");
  }
  absl::StatusOr<dns::Host> parsed = dns::ParseHost(host);
  if (!parsed.ok()) return parsed.status();
  if (!parsed->addresses.empty()) return WithPort(parsed->addresses, port);
  if (const auto* listed = state.hosts.Find(parsed->name))
    return WithPort(dns::Alternate(*listed), port);
  const std::string key = parsed->Key();
  if (const SharedOutcome cached = state.cache.Find(key)) {
    ++state.stats.cache_hits;
    return Deliver(*cached, port);
  }
  std::shared_ptr<Flight> flight;
  if (const auto at = state.flights.find(key); at != state.flights.end()) {
    ++state.stats.joined;
    flight = at->second;
  } else {
    flight = state.Begin(*std::move(parsed));
  }
  if (flight->early != nullptr) return Deliver(*flight->early, port);
  return state.Wait(std::move(flight), host, port, deadline);
}

void Resolver::ClearCache() { state_->cache.Clear(); }

Resolver::Stats Resolver::stats() const {
  Stats stats = state_->stats;
  stats.cached = state_->cache.size();
  stats.under_way = state_->flights.size();
  return stats;
}

absl::StatusOr<std::vector<Address>> Resolve(std::string_view host, std::uint16_t port,
                                             Deadline deadline) {
  return Resolver::Current().Resolve(host, port, deadline);
}

}  // namespace verdant::green

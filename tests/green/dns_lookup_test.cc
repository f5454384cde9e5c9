// What a resolver makes of servers that answer well, badly, late or never.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "green/dns.h"
#include "gtest/gtest.h"
#include "hub/clock.h"
#include "hub/event.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/io.h"
#include "hub/timeout.h"
#include "tests/green/dns_packet_server.h"

namespace verdant::green {
namespace {

using Ips = std::vector<std::string>;

struct ManualClock final : Clock {
  std::int64_t NowNanos() override { return now; }
  void Advance(absl::Duration by) { now += absl::ToInt64Nanoseconds(by); }
  std::int64_t now = 1;
};

std::unique_ptr<Resolver> Ask(const std::string& server, Resolver::Options options = {}) {
  if (options.servers.empty()) options.servers = {server};
  options.hosts_file = "";
  auto resolver = Resolver::Create(std::move(options));
  if (!resolver.ok()) throw std::runtime_error(resolver.status().ToString());
  return *std::move(resolver);
}

Ips Texts(const absl::StatusOr<std::vector<Address>>& answer) {
  if (!answer.ok()) return {answer.status().ToString()};
  Ips texts;
  for (const Address& address : *answer) texts.push_back(address.ip());
  return texts;
}

std::optional<std::string> OneOfEach(const DnsQuestion& question) {
  return DnsReply(question).Ip(question.wants_v4() ? "192.0.2.1" : "2001:db8::1").Bytes();
}

std::optional<std::string> Silence(const DnsQuestion&) { return std::nullopt; }

TEST(Lookup, AddressesAlternateBetweenTheFamiliesInTheServersOrder) {
  DnsPacketServer server([](const DnsQuestion& q) {
    DnsReply reply(q);
    if (q.wants_v4()) return reply.Ip("192.0.2.3").Ip("192.0.2.1").Ip("192.0.2.2").Bytes();
    return reply.Ip("2001:db8::2").Ip("2001:db8::1").Bytes();
  });
  EXPECT_EQ(Texts(Ask(server.address())->Resolve("a.test", 80)),
            (Ips{"2001:db8::2", "192.0.2.3", "2001:db8::1", "192.0.2.1", "192.0.2.2"}));
}

TEST(Lookup, AHundredGreenThreadsSendOneQuestion) {
  Event<> may_answer;
  DnsPacketServer server([&](const DnsQuestion& q) {
    may_answer.Wait();
    return OneOfEach(q);
  });
  const auto resolver = Ask(server.address(), {.cache_size = 0});
  std::vector<GreenThread<Ips>> threads;
  for (int i = 0; i < 100; ++i) {
    // Case is no difference.
    const char* name = i % 2 == 0 ? "a.test" : "A.TEST";
    threads.push_back(Spawn([&, name] { return Texts(resolver->Resolve(name, 80)); }));
  }
  while (server.queries().size() < 2) Sleep();
  EXPECT_EQ(resolver->stats().joined, 99u);
  may_answer.Send();
  for (auto& thread : threads) EXPECT_EQ(thread.Wait(), (Ips{"2001:db8::1", "192.0.2.1"}));
  EXPECT_EQ(server.queries(), (Ips{"a.test/A", "a.test/AAAA"}));
  EXPECT_EQ(resolver->stats().under_way, 0u);
}

TEST(Lookup, NoMoreAreUnderWayThanAllowed) {
  Event<> may_answer;
  DnsPacketServer server([&](const DnsQuestion& q) {
    may_answer.Wait();
    return OneOfEach(q);
  });
  const auto resolver = Ask(server.address(), {.max_lookups = 2});
  std::vector<GreenThread<bool>> threads;
  for (int i = 0; i < 5; ++i) {
    threads.push_back(
        Spawn([&, i] { return resolver->Resolve(absl::StrCat("n", i, ".test"), 80).ok(); }));
  }
  while (server.queries().size() < 4) Sleep();
  EXPECT_EQ(server.queries(), (Ips{"n0.test/A", "n0.test/AAAA", "n1.test/A", "n1.test/AAAA"}));
  EXPECT_EQ(resolver->stats().lookups, 2u);
  may_answer.Send();
  for (auto& thread : threads) EXPECT_TRUE(thread.Wait());
  EXPECT_EQ(server.queries().size(), 10u);
}

TEST(Lookup, AnAnswerLivesAsLongAsItsTtlThroughAliasesSays) {
  DnsPacketServer server([](const DnsQuestion& q) {
    DnsReply reply(q);
    reply.Cname("a.test", "b.test", 900).Cname("b.test", "c.test", 30);
    reply.Ip(q.wants_v4() ? "192.0.2.1" : "2001:db8::1", 600, "C.test");
    return reply.Ip("192.0.2.66", 5, "unrelated.test").Bytes();
  });
  ManualClock clock;
  const auto resolver = Ask(server.address(), {.clock = &clock});
  const Ips expected = {"2001:db8::1", "192.0.2.1"};
  EXPECT_EQ(Texts(resolver->Resolve("a.test", 80)), expected);
  clock.Advance(absl::Seconds(29.9));
  EXPECT_EQ(Texts(resolver->Resolve("A.test", 443)), expected);
  EXPECT_EQ(server.queries().size(), 2u);
  EXPECT_EQ(resolver->stats().cache_hits, 1u);
  clock.Advance(absl::Seconds(0.1));
  EXPECT_EQ(Texts(resolver->Resolve("a.test", 80)), expected);
  EXPECT_EQ(server.queries().size(), 4u);
}

TEST(Lookup, TtlsHaveAFloorAndACeiling) {
  DnsPacketServer server([](const DnsQuestion& q) {
    return DnsReply(q)
        .Ip(q.wants_v4() ? "192.0.2.1" : "2001:db8::1", q.name == "s.test" ? 0 : 86400)
        .Bytes();
  });
  ManualClock clock;
  const auto resolver =
      Ask(server.address(),
          {.ttl_floor = absl::Seconds(10), .ttl_ceiling = absl::Seconds(20), .clock = &clock});
  for (const char* name : {"s.test", "l.test"}) ASSERT_TRUE(resolver->Resolve(name, 80).ok());
  clock.Advance(absl::Seconds(9));
  for (const char* name : {"s.test", "l.test"}) ASSERT_TRUE(resolver->Resolve(name, 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 2u);
  clock.Advance(absl::Seconds(2));
  for (const char* name : {"s.test", "l.test"}) ASSERT_TRUE(resolver->Resolve(name, 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 3u);
  clock.Advance(absl::Seconds(9));
  ASSERT_TRUE(resolver->Resolve("l.test", 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 4u);
}

TEST(Lookup, Rfc2308_AbsenceIsRememberedForAsLongAsTheZoneSays) {
  DnsPacketServer server([](const DnsQuestion& q) {
    DnsReply reply(q);
    reply.Rcode(q.name == "gone.test" ? 3 : 0);
    if (q.name != "bare.test") reply.Soa(40, 30);
    return reply.Bytes();
  });
  ManualClock clock;
  const auto resolver = Ask(server.address(), {.clock = &clock});
  for (const char* name : {"gone.test", "empty.test", "bare.test"}) {
    EXPECT_EQ(resolver->Resolve(name, 80).status().code(), absl::StatusCode::kNotFound);
  }
  clock.Advance(absl::Seconds(0.9));
  EXPECT_FALSE(resolver->Resolve("bare.test", 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 3u);
  clock.Advance(absl::Seconds(29));
  for (const char* name : {"gone.test", "empty.test"})
    EXPECT_FALSE(resolver->Resolve(name, 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 3u);
  clock.Advance(absl::Seconds(1));
  for (const char* name : {"gone.test", "empty.test"})
    EXPECT_FALSE(resolver->Resolve(name, 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 5u);
}

TEST(Lookup, TheCacheForgetsWhatWasAskedForLeastRecently) {
  DnsPacketServer server(OneOfEach);
  const auto resolver = Ask(server.address(), {.cache_size = 2});
  for (const char* name : {"a.test", "b.test", "a.test", "c.test", "a.test"}) {
    ASSERT_TRUE(resolver->Resolve(name, 80).ok());
  }
  EXPECT_EQ(resolver->stats().lookups, 3u);
  EXPECT_EQ(resolver->stats().cached, 2u);
  ASSERT_TRUE(resolver->Resolve("b.test", 80).ok());
  EXPECT_EQ(resolver->stats().lookups, 4u);
  resolver->ClearCache();
  EXPECT_EQ(resolver->stats().cached, 0u);
}

TEST(Lookup, OneKilledOrTimedOutLeavesTheAnswerToTheOthersAndTheCache) {
  Event<> may_answer;
  DnsPacketServer server([&](const DnsQuestion& q) {
    may_answer.Wait();
    return OneOfEach(q);
  });
  const auto resolver = Ask(server.address());
  auto killed = Spawn([&] { return Texts(resolver->Resolve("a.test", 80)); });
  auto timed_out = Spawn([&] {
    Timeout patience(absl::Milliseconds(1));
    return Texts(resolver->Resolve("a.test", 80));
  });
  auto late =
      Spawn([&] { return resolver->Resolve("a.test", 80, absl::Milliseconds(1)).status(); });
  while (server.queries().size() < 2) Sleep();
  killed.Kill();
  EXPECT_THROW(killed.Wait(), GreenletExit);
  EXPECT_THROW(timed_out.Wait(), TimeoutExpired);
  const absl::Status status = late.Wait();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("'a.test'"), std::string_view::npos) << status;
  EXPECT_NE(status.message().find(server.address()), std::string_view::npos) << status;
  may_answer.Send();
  while (resolver->stats().under_way != 0) Sleep();
  EXPECT_EQ(Texts(resolver->Resolve("a.test", 80)), (Ips{"2001:db8::1", "192.0.2.1"}));
  EXPECT_EQ(resolver->stats().cache_hits, 1u);
}

TEST(Lookup, OneThatNobodyWantsAnyMoreIsNotBegun) {
  DnsPacketServer server(OneOfEach);
  const auto resolver = Ask(server.address());
  EXPECT_EQ(resolver->Resolve("a.test", 80, absl::ZeroDuration()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  while (resolver->stats().under_way != 0) Sleep();
  EXPECT_TRUE(resolver->Resolve("b.test", 80).ok());
  EXPECT_TRUE(resolver->Resolve("a.test", 80).ok());
}

TEST(Lookup, AResolverDestroyedMeanwhileLetsGoOfWhoeverWaits) {
  DnsPacketServer server(Silence);
  auto resolver = Ask(server.address());
  auto waiting = Spawn([&] { return resolver->Resolve("a.test", 80).status(); });
  while (server.queries().size() < 2) Sleep();
  resolver = nullptr;
  const absl::Status status = waiting.Wait();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
}

TEST(Lookup, AnExceptionInsideACallbackOfCAresReachesWhoeverWaits) {
  DnsPacketServer server(OneOfEach);
  const auto resolver = Ask(server.address());
  // A number that green threads wait on is closed behind the hub's back, and is the one that the
  // next socket gets: a misuse that the hub answers with an exception.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  auto stale = IoDescriptor::Register(ends[0]);
  ASSERT_TRUE(stale.ok()) << stale.status();
  close(ends[0]);
  EXPECT_THROW(static_cast<void>(resolver->Resolve("a.test", 80)), std::logic_error);
  stale->Unregister();
  close(ends[1]);
  EXPECT_EQ(Texts(resolver->Resolve("a.test", 80)), (Ips{"2001:db8::1", "192.0.2.1"}));
}

TEST(Lookup, AThreadMayEndWhileItsGreenThreadsWait) {
  DnsPacketServer server(Silence);
  std::thread([&] {
    Resolver::SetCurrent(Ask(server.address()));
    SpawnN([] { static_cast<void>(Resolve("a.test", 80)); });
    Sleep();
    Sleep();
  }).join();
}

TEST(Lookup, NoAnswerIsDeadlineExceeded) {
  DnsPacketServer server(Silence);
  const auto before = Hub::Current().counts();
  const auto resolver = Ask(server.address(), {.timeout = absl::Milliseconds(250), .tries = 1});
  const absl::Status status = resolver->Resolve("a.test", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_NE(status.message().find(server.address()), std::string_view::npos) << status;
  // Nothing is left behind that would keep the hub from seeing that all is over.
  EXPECT_EQ(Hub::Current().counts().timers, before.timers);
  EXPECT_EQ(resolver->stats().cached, 0u);
}

TEST(Lookup, TheNextServerIsAskedWhenOneIsNotThere) {
  DnsPacketServer server(OneOfEach);
  const auto resolver = Ask("", {.servers = {"127.0.0.1:9", server.address()}});
  EXPECT_TRUE(resolver->Resolve("a.test", 80).ok());
}

TEST(Lookup, FailuresOfTheServerAreUnavailableAndNotRemembered) {
  int failures = 0;
  DnsPacketServer server([&](const DnsQuestion& q) -> std::optional<std::string> {
    if (failures-- > 0) return DnsReply(q).Rcode(q.wants_v4() ? 2 : 5).Bytes();
    return OneOfEach(q);
  });
  const auto resolver = Ask(server.address(), {.tries = 1});
  failures = 2;
  const absl::Status status = resolver->Resolve("a.test", 80).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  failures = 0;
  EXPECT_TRUE(resolver->Resolve("a.test", 80).ok());
}

TEST(Lookup, OneFamilyIsEnoughWhenTheOtherFailsOrNeverAnswers) {
  Event<> answered_late;
  DnsPacketServer server([&](const DnsQuestion& q) -> std::optional<std::string> {
    if (q.wants_v4()) return OneOfEach(q);
    if (q.name == "refused.test") return DnsReply(q).Rcode(5).Bytes();
    answered_late.Wait();
    return OneOfEach(q);
  });
  const auto resolver = Ask(server.address(), {.family_patience = absl::Milliseconds(1)});
  EXPECT_EQ(Texts(resolver->Resolve("refused.test", 80)), (Ips{"192.0.2.1"}));
  EXPECT_EQ(Texts(resolver->Resolve("late.test", 80)), (Ips{"192.0.2.1"}));
  // Still under way, and good enough for the next one too.
  EXPECT_EQ(resolver->stats().under_way, 1u);
  EXPECT_EQ(Texts(resolver->Resolve("late.test", 80)), (Ips{"192.0.2.1"}));
  answered_late.Send();
  while (resolver->stats().under_way != 0) Sleep();
  EXPECT_EQ(Texts(resolver->Resolve("late.test", 80)), (Ips{"2001:db8::1", "192.0.2.1"}));
}

TEST(Lookup, ATruncatedAnswerIsAskedForAgainByTcp) {
  int by_tcp = 0;
  DnsPacketServer server([&](const DnsQuestion& q) -> std::optional<std::string> {
    if (!q.over_tcp) return DnsReply(q).Truncated().Bytes();
    ++by_tcp;
    return OneOfEach(q);
  });
  EXPECT_EQ(Texts(Ask(server.address())->Resolve("a.test", 80)), (Ips{"2001:db8::1", "192.0.2.1"}));
  EXPECT_EQ(by_tcp, 2);
}

TEST(Lookup, RecordsOfOtherNamesAndLoopsOfAliasesCountForNothing) {
  DnsPacketServer server([](const DnsQuestion& q) {
    DnsReply reply(q);
    if (q.name == "loop.test") {
      reply.Cname("loop.test", "pool.test").Cname("pool.test", "loop.test");
    }
    return reply.Ip("192.0.2.66", 600, "other.test").Bytes();
  });
  const auto resolver = Ask(server.address());
  for (const char* name : {"a.test", "loop.test"}) {
    EXPECT_EQ(resolver->Resolve(name, 80).status().code(), absl::StatusCode::kNotFound) << name;
  }
}

TEST(Lookup, GarbageAndForgedAnswersAreSurvived) {
  DnsPacketServer server([](const DnsQuestion& q) -> std::optional<std::string> {
    const std::string good = *OneOfEach(q);
    if (q.name == "short.test") return good.substr(0, good.size() - 3);
    if (q.name == "empty.test") return std::string();
    if (q.name == "noise.test") return good.substr(0, 12) + std::string(500, '\xff');
    DnsQuestion forged = q;
    forged.id ^= 1;
    return DnsReply(forged).Ip("192.0.2.66").Bytes();
  });
  const auto resolver = Ask(server.address(), {.timeout = absl::Milliseconds(250), .tries = 1});
  for (const char* name : {"short.test", "empty.test", "noise.test", "forged.test"}) {
    const auto answer = resolver->Resolve(name, 80);
    EXPECT_FALSE(answer.ok()) << name;
    EXPECT_FALSE(absl::IsNotFound(answer.status())) << name << answer.status();
  }
}

TEST(Lookup, SearchGoesOnPastNamesThatDoNotExistAndStopsAtTheFirstThatDoes) {
  DnsPacketServer server([](const DnsQuestion& q) -> std::optional<std::string> {
    if (q.name == "db.two.test" && q.wants_v4()) return DnsReply(q).Ip("192.0.2.2").Bytes();
    if (q.name == "db.two.test") return DnsReply(q).Bytes();
    // Would be mixed in if each family were searched for by itself.
    if (q.name == "db.three.test") return OneOfEach(q);
    return DnsReply(q).Rcode(3).Bytes();
  });
  const auto resolver = Ask(server.address(), {.search = {"one.test", "two.test", "three.test"}});
  EXPECT_EQ(Texts(resolver->Resolve("db", 80)), (Ips{"192.0.2.2"}));
  EXPECT_EQ(server.queries(),
            (Ips{"db.one.test/A", "db.one.test/AAAA", "db.two.test/A", "db.two.test/AAAA"}));
}

}  // namespace
}  // namespace verdant::green

#include "green/internal/dns_answer.h"

#include <netinet/in.h>
#include <string.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace verdant::green::dns {
namespace {

// More aliases than any real name has; ends loops.
constexpr int kMostAliases = 16;
// As many as anybody could try; a hostile answer holds thousands.
constexpr std::size_t kMostAddresses = 64;

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(absl::StripSuffix(a, "."), absl::StripSuffix(b, "."));
}

void Shorten(std::optional<absl::Duration>& ttl, unsigned int seconds) {
  // RFC 2181: one with the top bit set is none.
  if (seconds > 0x7fffffffu) seconds = 0;
  ttl = std::min(ttl.value_or(absl::InfiniteDuration()), absl::Seconds(seconds));
}

// Calls f with each answer of `type` that belongs to `name`, until it says false.
template <typename F>
void ForEach(const ares_dns_record_t* record, std::string_view name, ares_dns_rec_type_t type,
             F&& f) {
  const std::size_t count = ares_dns_record_rr_cnt(record, ARES_SECTION_ANSWER);
  for (std::size_t i = 0; i < count; ++i) {
    const ares_dns_rr_t* rr = ares_dns_record_rr_get_const(record, ARES_SECTION_ANSWER, i);
    if (ares_dns_rr_get_class(rr) != ARES_CLASS_IN || ares_dns_rr_get_type(rr) != type) continue;
    if (SameName(ares_dns_rr_get_name(rr), name) && !f(rr)) return;
  }
}

std::optional<Address> AddressOf(const ares_dns_rr_t* rr, int family) {
  absl::StatusOr<Address> address;
  if (family == AF_INET) {
    const in_addr* ip = ares_dns_rr_get_addr(rr, ARES_RR_A_ADDR);
    if (ip == nullptr) return std::nullopt;
    const sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = *ip, .sin_zero = {}};
    address = Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  } else {
    const ares_in6_addr* ip = ares_dns_rr_get_addr6(rr, ARES_RR_AAAA_ADDR);
    if (ip == nullptr) return std::nullopt;
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    memcpy(&v6.sin6_addr, ip, sizeof(v6.sin6_addr));
    address = Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  }
  if (!address.ok()) return std::nullopt;
  return *address;
}

void ReadAddresses(const ares_dns_record_t* record, std::string_view name, int family,
                   Answer& answer) {
  std::optional<absl::Duration> ttl;
  for (int aliases = 0; aliases < kMostAliases; ++aliases) {
    std::string_view target;
    ForEach(record, name, ARES_REC_TYPE_CNAME, [&](const ares_dns_rr_t* rr) {
      const char* text = ares_dns_rr_get_str(rr, ARES_RR_CNAME_CNAME);
      if (text == nullptr) return true;
      target = text;
      Shorten(ttl, ares_dns_rr_get_ttl(rr));
      return false;
    });
    if (target.empty()) break;
    name = target;
  }
  const auto type = family == AF_INET ? ARES_REC_TYPE_A : ARES_REC_TYPE_AAAA;
  ForEach(record, name, type, [&](const ares_dns_rr_t* rr) {
    const std::optional<Address> address = AddressOf(rr, family);
    if (!address) return true;
    Shorten(ttl, ares_dns_rr_get_ttl(rr));
    auto& known = answer.addresses;
    if (std::find(known.begin(), known.end(), *address) == known.end()) known.push_back(*address);
    return known.size() < kMostAddresses;
  });
  if (!answer.addresses.empty()) answer.ttl = ttl;
}

std::optional<absl::Duration> NegativeTtl(const ares_dns_record_t* record) {
  std::optional<absl::Duration> ttl;
  const std::size_t count = ares_dns_record_rr_cnt(record, ARES_SECTION_AUTHORITY);
  for (std::size_t i = 0; i < count; ++i) {
    const ares_dns_rr_t* rr = ares_dns_record_rr_get_const(record, ARES_SECTION_AUTHORITY, i);
    if (ares_dns_rr_get_type(rr) != ARES_REC_TYPE_SOA) continue;
    Shorten(ttl, ares_dns_rr_get_ttl(rr));
    Shorten(ttl, ares_dns_rr_get_u32(rr, ARES_RR_SOA_MINIMUM));
  }
  return ttl;
}

}  // namespace

Answer ReadAnswer(ares_status_t status, const ares_dns_record_t* record, std::string_view name,
                  int family) {
  Answer answer;
  switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
      if (record == nullptr) break;
      if (const ares_dns_rcode_t rcode = ares_dns_record_get_rcode(record);
          rcode != ARES_RCODE_NOERROR) {
        answer.cause = absl::StrCat("the server answered ", ares_dns_rcode_tostr(rcode));
        return answer;
      }
      ReadAddresses(record, name, family, answer);
      answer.kind = answer.addresses.empty() ? Answer::Kind::kNoData : Answer::Kind::kAddresses;
      if (answer.addresses.empty()) answer.ttl = NegativeTtl(record);
      return answer;
    case ARES_ENOTFOUND:
      answer.kind = Answer::Kind::kNoSuchName;
      if (record != nullptr) answer.ttl = NegativeTtl(record);
      return answer;
    case ARES_ETIMEOUT:
      answer.kind = Answer::Kind::kTimedOut;
      return answer;
    default:
      break;
  }
  answer.cause = ares_strerror(static_cast<int>(status));
  return answer;
}

}  // namespace verdant::green::dns

#include "green/internal/dns_name.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace verdant::green::dns {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

absl::Status Malformed(std::string_view host, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(CannotResolve(host), ": ", why));
}

bool IsOrIsUnder(std::string_view name, std::string_view domain) {
  return absl::ConsumeSuffix(&name, domain) && (name.empty() || name.back() == '.');
}

absl::StatusOr<Host> Literal(std::string_view host, std::string_view ip) {
  absl::StatusOr<Address> address = Address::FromIp(ip, 0);
  if (!address.ok()) return Malformed(host, address.status().message());
  return Host{.addresses = {*address}};
}

// Empty if `label` may stand in a name that is looked up; underscores are found in real ones.
std::string_view WrongWithLabel(std::string_view label) {
  if (label.empty()) return "the name has an empty label";
  if (label.size() > kLongestLabel) return "a label of the name is longer than 63 characters";
  for (const char c : label) {
    if (!absl::ascii_isascii(static_cast<unsigned char>(c))) {
      return "the name is not in its ASCII form (xn--...)";
    }
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') {
      return "the name has a character that no host name has";
    }
  }
  return {};
}

}  // namespace

std::string CannotResolve(std::string_view host) {
  const bool cut = host.size() > kLongestName + 1;
  return absl::StrCat("cannot resolve '", absl::CHexEscape(host.substr(0, kLongestName + 1)),
                      cut ? "...'" : "'");
}

absl::StatusOr<Host> ParseHost(std::string_view host) {
  if (host.empty()) return Malformed(host, "the name is empty");
  if (std::string_view inner = host; absl::ConsumePrefix(&inner, "[")) {
    if (!absl::ConsumeSuffix(&inner, "]")) return Malformed(host, "a bracket is missing");
    if (!absl::StrContains(inner, ':')) return Malformed(host, "only IPv6 stands in brackets");
    return Literal(host, inner);
  }
  if (absl::StrContains(host, ':')) return Literal(host, host);

  Host result;
  std::string_view name = host;
  result.absolute = absl::ConsumeSuffix(&name, ".");
  if (name.size() > kLongestName) return Malformed(host, "the name is longer than 253 characters");
  std::string_view last;
  for (const std::string_view label : absl::StrSplit(name, '.')) {
    if (const std::string_view wrong = WrongWithLabel(label); !wrong.empty()) {
      return Malformed(host, wrong);
    }
    last = label;
  }
  // No top-level domain is a number, so this is an address or was meant to be one.
  if (std::all_of(last.begin(), last.end(), absl::ascii_isdigit)) return Literal(host, host);

  result.name = absl::AsciiStrToLower(name);
  if (IsOrIsUnder(result.name, "localhost")) {
    return Host{.addresses = {Address::LoopbackV6(0), Address::LoopbackV4(0)}};
  }
  for (const std::string_view never : {"invalid", "onion"}) {
    if (IsOrIsUnder(result.name, never)) {
      return absl::NotFoundError(
          absl::StrCat(CannotResolve(host), ": no name under '", never, "' exists in the DNS"));
    }
  }
  return result;
}

std::vector<std::string> Candidates(const Host& host, const std::vector<std::string>& search,
                                    std::size_t ndots) {
  if (host.absolute) return {host.name};
  std::vector<std::string> candidates;
  const auto dots = static_cast<std::size_t>(std::count(host.name.begin(), host.name.end(), '.'));
  if (dots >= ndots) candidates.push_back(host.name);
  for (const std::string& domain : search) {
    std::string candidate = absl::StrCat(host.name, ".", domain);
    if (candidate.size() <= kLongestName) candidates.push_back(std::move(candidate));
  }
  if (dots < ndots) candidates.push_back(host.name);
  return candidates;
}

}  // namespace verdant::green::dns

#include "apps/crawler/url.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "ada.h"
#include "apps/crawler/utf8.h"

namespace verdant::crawler {
namespace {

absl::Status Refuse(std::string_view text, std::string_view cause) {
  return absl::InvalidArgumentError(absl::StrCat(PrintableUrl(text), ": ", cause));
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool IsTabOrLineEnd(char c) { return c == '\t' || c == '\n' || c == '\r'; }

// The scheme before the first ':' when it is spelt as RFC 3986 section 3.1 says.
std::optional<std::string_view> SchemeOf(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == ':' && i > 0) return text.substr(0, i);
    const bool allowed = i == 0 ? absl::ascii_isalpha(c)
                                : absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
    if (!allowed) return std::nullopt;
  }
  return std::nullopt;
}

bool IsHttpScheme(std::string_view scheme) {
  return absl::EqualsIgnoreCase(scheme, "http") || absl::EqualsIgnoreCase(scheme, "https");
}

absl::Status RefuseScheme(std::string_view text, std::string_view scheme) {
  const std::string_view rest = text.substr(scheme.size() + 1);
  // "localhost:8080" reads as the scheme "localhost": say what was meant.
  if (!rest.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest[0]))) {
    return Refuse(text, "no scheme (write http:// or https:// before the host)");
  }
  return Refuse(text, absl::StrCat("scheme \"", scheme, "\" is neither http nor https"));
}

// The parser says only that it failed; this finds which part it could not have taken.
absl::Status ExplainFailure(std::string_view text) {
  std::string_view authority = text;
  const auto is_slash = [](char c) { return c == '/' || c == '\\'; };
  if (const auto scheme = SchemeOf(authority); scheme && IsHttpScheme(*scheme)) {
    authority.remove_prefix(scheme->size() + 1);
  }
  while (!authority.empty() && is_slash(authority.front())) authority.remove_prefix(1);
  authority = authority.substr(0, authority.find_first_of("/\\?#"));
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view host = has_port ? authority.substr(0, colon) : authority;
  if (host.empty()) return Refuse(text, "no host");
  if (has_port) {
    const std::string_view port = authority.substr(colon + 1);
    uint32_t number = 0;
    if (!port.empty() && (!absl::SimpleAtoi(port, &number) || number > 65535)) {
      return Refuse(text,
                    absl::StrCat("port ", PrintableUrl(port), " is not a number from 0 to 65535"));
    }
  }
  return Refuse(text, absl::StrCat("host ", PrintableUrl(host), " is not a valid name or address"));
}

std::string PercentEncodeHighBytes(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

}  // namespace

struct UrlResolver::Base {
  ada::url_aggregator url;
};

std::string PrintableUrl(std::string_view url, size_t max_bytes) {
  const bool cut = url.size() > max_bytes;
  return absl::StrCat("\"", absl::CHexEscape(url.substr(0, max_bytes)), cut ? "...\"" : "\"");
}

absl::StatusOr<Url> UrlResolver::ParseWith(std::string_view text, const Base* base) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kMaxUrlBytes) {
    return Refuse(text, absl::StrFormat("%d bytes long, more than the %d allowed", text.size(),
                                        kMaxUrlBytes));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsControl(text[i]) && (base == nullptr || !IsTabOrLineEnd(text[i]))) {
      return Refuse(text, absl::StrFormat("control character 0x%02x at byte %d",
                                          static_cast<unsigned char>(text[i]), i));
    }
  }
  const auto scheme = SchemeOf(text);
  if (scheme && !IsHttpScheme(*scheme)) return RefuseScheme(text, *scheme);
  if (base == nullptr) {
    if (text.empty()) return absl::InvalidArgumentError("empty URL");
    if (!IsValidUtf8(text)) return Refuse(text, "not valid UTF-8");
    if (!scheme) return Refuse(text, "no scheme (write http:// or https:// before the host)");
  }

  std::string encoded;
  std::string_view input = text;
  if (!IsValidUtf8(text)) {
    encoded = PercentEncodeHighBytes(text);
    input = encoded;
  }
  auto parsed = base == nullptr ? ada::parse<ada::url_aggregator>(input)
                                : ada::parse<ada::url_aggregator>(input, &base->url);
  if (!parsed) return ExplainFailure(text);
  if (parsed->type != ada::scheme::HTTP && parsed->type != ada::scheme::HTTPS) {
    return Refuse(text, "scheme is neither http nor https");
  }
  if (parsed->has_credentials()) {
    // Not Refuse: the message must not spell the password.
    return absl::InvalidArgumentError(
        absl::StrCat("URL on host ", PrintableUrl(parsed->get_host()),
                     ": carries a user name or password, which the crawler does not send"));
  }
  parsed->set_hash("");

  Url url;
  const ada::url_components& parts = parsed->get_components();
  url.href_ = std::string(parsed->get_href());
  if (url.href_.size() > kMaxUrlBytes) {
    return Refuse(text, absl::StrFormat("%d bytes long when encoded, more than the %d allowed",
                                        url.href_.size(), kMaxUrlBytes));
  }
  url.scheme_end_ = parts.protocol_end - 1;
  url.host_start_ = parts.protocol_end + 2;
  url.host_end_ = parts.host_end;
  url.path_start_ = parts.pathname_start;
  url.query_start_ = parts.search_start == ada::url_components::omitted
                         ? static_cast<uint32_t>(url.href_.size())
                         : parts.search_start;
  url.port_ = parts.port == ada::url_components::omitted ? (url.is_https() ? 443 : 80)
                                                         : static_cast<uint16_t>(parts.port);
  return url;
}

UrlResolver::UrlResolver(const Url& base)
    : base_(std::make_unique<Base>(Base{*ada::parse<ada::url_aggregator>(base.href())})) {}
UrlResolver::~UrlResolver() = default;
UrlResolver::UrlResolver(UrlResolver&&) noexcept = default;
UrlResolver& UrlResolver::operator=(UrlResolver&&) noexcept = default;

absl::StatusOr<Url> UrlResolver::Resolve(std::string_view reference) const {
  return ParseWith(reference, base_.get());
}

absl::StatusOr<Url> Url::Parse(std::string_view text) {
  return UrlResolver::ParseWith(text, nullptr);
}

absl::StatusOr<Url> Url::Resolve(std::string_view reference) const {
  return UrlResolver(*this).Resolve(reference);
}

std::string Url::Origin() const { return absl::StrCat(scheme(), "://", host(), ":", port_); }

std::string_view SeedDomain(std::string_view host) {
  host = absl::StripSuffix(host, ".");
  return absl::StripPrefix(host, "www.");
}

bool HostInDomain(std::string_view host, std::string_view domain) {
  host = absl::StripSuffix(host, ".");
  if (host == domain) return true;
  return host.size() > domain.size() && absl::EndsWith(host, domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

}  // namespace verdant::crawler

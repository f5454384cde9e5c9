#ifndef VERDANT_TESTS_GREEN_DNS_PACKET_SERVER_H_
#define VERDANT_TESTS_GREEN_DNS_PACKET_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verdant::green {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeAaaa = 28;

struct DnsQuestion {
  std::string name;  // lower case, without a final dot
  std::uint16_t type = 0;
  bool over_tcp = false;
  std::uint16_t id = 0;
  std::string section;  // the question as it was sent

  bool wants_v4() const { return type == kTypeA; }
};

// A DNS message made by hand (RFC 1035): the answer to a question.
class DnsReply {
 public:
  explicit DnsReply(const DnsQuestion& question) : question_(question) {}

  DnsReply& Rcode(int code);  // 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
  DnsReply& Truncated();
  // Records of the answer; an empty owner is the question's name.
  DnsReply& Ip(std::string_view address, std::uint32_t ttl = 600, std::string_view owner = {});
  DnsReply& Cname(std::string_view owner, std::string_view target, std::uint32_t ttl = 600);
  // In the authority section.
  DnsReply& Soa(std::uint32_t ttl, std::uint32_t minimum);

  std::string Bytes() const;

 private:
  std::string Record(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                     std::string_view data) const;

  DnsQuestion question_;
  int rcode_ = 0;
  bool truncated_ = false;
  std::uint16_t answer_count_ = 0, authority_count_ = 0;
  std::string answers_, authority_;
};

// A DNS server on a loopback port, UDP and TCP, run by green threads of the hub. What it answers is
// the handler's business, which may wait: the bytes to send, or nothing for silence.
class DnsPacketServer {
 public:
  using Handler = std::function<std::optional<std::string>(const DnsQuestion&)>;
  explicit DnsPacketServer(Handler handler);
  ~DnsPacketServer();

  // "127.0.0.1:PORT".
  std::string address() const;
  // "name/A" and "name/AAAA" of the queries so far, sorted.
  std::vector<std::string> queries() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_DNS_PACKET_SERVER_H_

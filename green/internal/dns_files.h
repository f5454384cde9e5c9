#ifndef VERDANT_GREEN_INTERNAL_DNS_FILES_H_
#define VERDANT_GREEN_INTERNAL_DNS_FILES_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "green/address.h"
#include "hub/clock.h"

namespace verdant::green::dns {

// A small configuration file that may change while the program runs. Looked at (stat) no more often
// than every `interval` of `clock`. Reading it blocks the thread, as briefly as a file in the page
// cache does.
class WatchedFile {
 public:
  WatchedFile(std::string path, Clock& clock, absl::Duration interval);

  // The file's bytes if they are new since the last call, the first included; empty if the file is
  // missing or cannot be read. Nothing if it is as it was.
  std::optional<std::string> ReadIfChanged();

 private:
  struct Stamp {
    bool exists = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_nanos = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  const std::string path_;
  Clock& clock_;
  const std::int64_t interval_nanos_;
  std::optional<std::int64_t> looked_;
  std::optional<Stamp> stamp_;
};

// hosts(5).
class HostsFile {
 public:
  HostsFile(std::string path, Clock& clock, absl::Duration interval)
      : file_(std::move(path), clock, interval) {}

  // The addresses of a lower-case name, in the file's order with port 0; null if it is not there.
  // Good until the next call.
  const std::vector<Address>* Find(std::string_view name);

 private:
  WatchedFile file_;
  absl::flat_hash_map<std::string, std::vector<Address>> addresses_;
};

// What resolv.conf(5) says about names; what it says about servers c-ares reads itself.
struct SearchRules {
  std::vector<std::string> domains;  // lower case
  std::size_t ndots = 1;

  static SearchRules Parse(std::string_view resolv_conf);
};

}  // namespace verdant::green::dns

#endif  // VERDANT_GREEN_INTERNAL_DNS_FILES_H_

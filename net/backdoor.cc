#include "net/backdoor.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "hub/green_thread.h"
#include "hub/hub.h"
#include "hub/timeout.h"
#include "net/serve.h"

namespace verdant::net {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr absl::Duration kSendPatience = absl::Minutes(1);
constexpr absl::Duration kRefusalPatience = absl::Seconds(1);
// Clients at a time that are told that there are too many.
constexpr std::size_t kRefusals = 16;
constexpr std::string_view kPrompt = ">>> ";

struct BuiltIn {
  std::string_view name;
  std::string_view help;
  std::string (*call)(Hub& hub);  // null: the session's own
};

std::string Counts(Hub& hub) {
  const Hub::Counts counts = hub.counts();
  return absl::StrFormat(
      "green threads   %d\nrunnable        %d\ntimers          %d\nwaiting for I/O %d\n"
      "readers         %d\nwriters         %d\nturns           %d\nswitches        %d\n",
      counts.green_threads, counts.runnable, counts.timers, counts.waiting_for_io, counts.readers,
      counts.writers, counts.turns, counts.switches);
}

constexpr std::array<BuiltIn, 7> kBuiltIns = {{
    {"help", "this list", nullptr},
    {"greenlets", "all green threads, where they were spawned and what they wait for",
     [](Hub& hub) { return hub.Dump(); }},
    {"timers", "timers and calls to come, and where they were set up",
     [](Hub& hub) { return hub.DumpTimers(); }},
    {"listeners", "descriptors, and who waits for them",
     [](Hub& hub) { return hub.DumpListeners(); }},
    {"counts", "how many there are of what, and how much has happened", &Counts},
    {"exit", "ends this session", nullptr},
    {"quit", "the same", nullptr},
}};

const BuiltIn* FindBuiltIn(std::string_view name) {
  const auto* found = std::find_if(kBuiltIns.begin(), kBuiltIns.end(),
                                   [&](const BuiltIn& b) { return b.name == name; });
  return found != kBuiltIns.end() ? found : nullptr;
}

// No control characters, and no bytes that are in no UTF-8.
bool IsText(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' ||
           (byte >= 0x20 && byte != 0x7f && byte < 0xf5 && byte != 0xc0 && byte != 0xc1);
  });
}

bool IsHttp(const std::vector<std::string>& words) {
  return words.size() >= 2 && absl::StartsWith(words.back(), "HTTP/");
}

enum class Input : std::uint8_t { kLine, kTooLong, kEnd };

// What comes over a connection, line by line, in little memory.
class LineReader {
 public:
  explicit LineReader(green::Stream& stream) : stream_(stream) {}

  Input Next(std::string& line) {
    bool too_long = false;
    std::size_t looked_at = 0;
    for (;;) {
      std::size_t end = pending_.find('\n', looked_at);
      if (end == std::string::npos && ended_) {
        // The last line may lack its end.
        if (pending_.empty() && !too_long) return Input::kEnd;
        end = pending_.size();
      }
      if (end != std::string::npos) {
        line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return too_long || line.size() > kMaxLine ? Input::kTooLong : Input::kLine;
      }
      if (pending_.size() > kMaxLine) {
        too_long = true;
        pending_.clear();
      }
      looked_at = pending_.size();
      std::array<char, 1024> buffer;
      const absl::StatusOr<std::size_t> got = stream_.Recv(buffer);
      if (!got.ok()) return Input::kEnd;
      ended_ = *got == 0;
      pending_.append(buffer.data(), *got);
    }
  }

 private:
  green::Stream& stream_;
  std::string pending_;
  bool ended_ = false;
};

}  // namespace

void BackdoorCommands::Add(std::string_view name, std::string_view help, Command command) {
  const bool one_word =
      !name.empty() && IsText(name) && std::none_of(name.begin(), name.end(), absl::ascii_isspace);
  if (!one_word || name.size() > 64) {
    throw std::logic_error("BackdoorCommands::Add: a command's name is one word");
  }
  if (command == nullptr) {
    throw std::logic_error(absl::StrCat("BackdoorCommands::Add: nothing to call for '", name, "'"));
  }
  if (FindBuiltIn(name) != nullptr || entries_.find(name) != entries_.end()) {
    throw std::logic_error(absl::StrCat("BackdoorCommands::Add: there is a '", name, "' already"));
  }
  entries_.emplace(name, Entry{std::string(help), std::move(command)});
}

class BackdoorSession {
 public:
  BackdoorSession(green::Stream& stream, const BackdoorCommands& commands)
      : stream_(stream), commands_(commands) {}

  void Run(std::string_view banner) {
    std::string answer = banner.empty() ? absl::StrCat("verdant backdoor of process ", getpid(),
                                                       "; \"help\" lists the commands")
                                        : std::string(banner);
    LineReader reader(stream_);
    while (Say(std::move(answer))) {
      // However fast a client asks, others get their turn.
      Sleep();
      std::string line;
      const Input input = reader.Next(line);
      if (input == Input::kEnd) return;
      if (input == Input::kTooLong) {
        answer = absl::StrCat("that line is longer than ", kMaxLine, " bytes");
      } else if (!IsText(line)) {
        answer = "that is not text";
      } else if (!Obey(line, answer)) {
        return;
      }
    }
  }

 private:
  // With the end of a line if it lacks one, and the prompt.
  bool Say(std::string text) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += kPrompt;
    return stream_.SendAll(text, kSendPatience).ok();
  }

  // False if the session is over.
  bool Obey(std::string_view line, std::string& answer) {
    std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    answer.clear();
    if (words.empty()) return true;
    if (IsHttp(words)) return false;
    const std::string name = std::move(words.front());
    words.erase(words.begin());
    if (const BuiltIn* built_in = FindBuiltIn(name); built_in != nullptr) {
      if (name == "exit" || name == "quit") return false;
      answer = built_in->call != nullptr ? built_in->call(Hub::Current()) : Help();
    } else {
      answer = Call(name, words);
    }
    return true;
  }

  std::string Call(const std::string& name, const std::vector<std::string>& arguments) {
    const auto found = commands_.entries_.find(name);
    if (found == commands_.entries_.end()) return "no such command; \"help\" lists them";
    try {
      return found->second.command(arguments);
    } catch (const GreenletExit&) {
      throw;
    } catch (const TimeoutExpired&) {
      throw;
    } catch (...) {
      return absl::StrCat(name, " failed: ", DescribeException(std::current_exception()));
    }
  }

  std::string Help() const {
    std::string text;
    for (const BuiltIn& built_in : kBuiltIns) {
      absl::StrAppendFormat(&text, "%-12s %s\n", built_in.name, built_in.help);
    }
    for (const auto& [name, entry] : commands_.entries_) {
      absl::StrAppendFormat(&text, "%-12s %s\n", name, entry.help);
    }
    return text;
  }

  green::Stream& stream_;
  const BackdoorCommands& commands_;
};

namespace {

// Says why, in the little time that a client deserves whom nobody wants.
void Refuse(green::Stream& connection, std::string_view why) {
  (void)connection.SendAll(why, kRefusalPatience);
  connection.Close();
}

}  // namespace

void Backdoor(green::Stream& connection, const BackdoorCommands& commands,
              const BackdoorOptions& options) {
  if (!options.allow_remote && !connection.peer().is_loopback()) {
    return Refuse(connection, "this backdoor is for clients of its own machine\n");
  }
  struct Closer {
    green::Stream& stream;
    ~Closer() { stream.Close(); }
  } const closer{connection};
  BackdoorSession(connection, commands).Run(options.banner);
}

absl::Status BackdoorServer(green::Socket& listener, const BackdoorCommands& commands,
                            const BackdoorOptions& options) {
  if (options.max_sessions == 0) throw std::logic_error("BackdoorServer: no sessions at all");
  std::size_t sessions = 0;
  ServeOptions serve;
  serve.concurrency = options.max_sessions + kRefusals;
  serve.stop = options.stop;
  serve.grace = absl::ZeroDuration();
  return Serve(
      listener,
      [&](green::Socket& connection) {
        if (sessions == options.max_sessions) {
          return Refuse(connection, absl::StrCat("this backdoor has ", sessions,
                                                 " sessions already, and no more\n"));
        }
        struct Session {
          std::size_t& count;
          explicit Session(std::size_t& c) : count(c) { ++count; }
          ~Session() { --count; }
        } const session(sessions);
        Backdoor(connection, commands, options);
      },
      serve);
}

}  // namespace verdant::net

#ifndef VERDANT_NET_BACKDOOR_H_
#define VERDANT_NET_BACKDOOR_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "green/socket.h"
#include "green/stream.h"
#include "net/stop_signal.h"

namespace verdant::net {

// WHOEVER CAN CONNECT TO A BACKDOOR CONTROLS THE PROCESS, as far as its commands go. There is no
// password and no encryption. Listen on a Unix socket in a folder that only the right people may
// enter, or on a loopback address, which every user of the machine can reach.
//
//   net::BackdoorCommands commands;
//   commands.Add("drain", "take no more jobs", [&](const std::vector<std::string>&) {
//     queue.Close();
//     return absl::StrCat(queue.size(), " jobs are left");
//   });
//   green::Socket listener = *net::Listen("/run/worker/backdoor.sock");
//   auto backdoor = Spawn([&] { return net::BackdoorServer(listener, commands); });
//
//   $ socat - UNIX-CONNECT:/run/worker/backdoor.sock
//   verdant backdoor of process 4711; "help" lists the commands
//   >>> drain
//   17 jobs are left
//   >>> greenlets
//     green thread 3 'worker' spawned at worker.cc:40: waiting in Queue::Get
//   >>> exit

// What a backdoor's clients may ask of the program, besides what each backdoor knows: help,
// greenlets, timers, listeners, counts, exit and quit. Takes the place of eventlet's `locals`,
// since C++ has no interpreter to give objects to.
//
// Threading: for green threads of one hub. Must outlive the servers and sessions that use it;
// commands may be added while they run.
class BackdoorCommands {
 public:
  // Gets the words after the command's name; what it returns is shown to the client. Runs in the
  // session's green thread: it may block, and then this client alone waits. What it throws is shown
  // as well and the session goes on; cancellation (GreenletExit, TimeoutExpired) unwinds.
  using Command = std::function<std::string(const std::vector<std::string>& arguments)>;

  BackdoorCommands() = default;
  BackdoorCommands(const BackdoorCommands&) = delete;
  BackdoorCommands& operator=(const BackdoorCommands&) = delete;

  // `help` is one line. Throws std::logic_error if the name is not one word, or taken, or there is
  // nothing to call.
  void Add(std::string_view name, std::string_view help, Command command);

 private:
  friend class BackdoorSession;
  struct Entry {
    std::string help;
    Command command;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

struct BackdoorOptions {
  // Of a server: how many clients at a time. One more is told so and let go.
  std::size_t max_sessions = 10;
  // Also talk to clients of other machines. Read the warning above first.
  bool allow_remote = false;
  // What a client reads first; empty: whose backdoor it is.
  std::string banner = {};
  // Of a server: ends it from outside, and its sessions with it. May be null; must outlive the
  // call.
  StopSignal* stop = nullptr;
};

// Has a session with each client of `listener`, over TCP or a Unix socket. Returns as Serve() does,
// and ends its sessions with it. Throws std::logic_error if it may have none. Row A10.4
// (backdoor_server).
absl::Status BackdoorServer(green::Socket& listener, const BackdoorCommands& commands,
                            const BackdoorOptions& options = {});

// One session: reads lines, each a command and its arguments separated by blanks, and answers with
// text and the prompt ">>> ", until the client says exit or quit, sends the end of the stream, or
// is gone; then closes the connection. Row A10.4 (backdoor).
//
// A peer that is neither a loopback address nor a Unix socket is refused unless the options allow
// it. A line that is too long (4096 bytes) or no text is answered with one line that says so. One
// that looks like HTTP ends the session: a web page in a browser on this machine can reach loopback
// addresses. A client that reads nothing for a minute is let go.
void Backdoor(green::Stream& connection, const BackdoorCommands& commands,
              const BackdoorOptions& options = {});

}  // namespace verdant::net

#endif  // VERDANT_NET_BACKDOOR_H_

// The same server around epoll: nobody holds up anybody, but what was a loop is now states.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "absl/time/time.h"
#include "apps/examples/eventlet_pools/plain_server.h"
#include "apps/examples/eventlet_pools/two_clients.h"

namespace examples = verdant::examples;

class EpollServer {
 public:
  explicit EpollServer(int listener) : listener_(listener) {
    Watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  }
  EpollServer(const EpollServer&) = delete;
  EpollServer& operator=(const EpollServer&) = delete;
  ~EpollServer() {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr);
    close(epoll_);
  }

  void Serve(int clients) {
    std::array<epoll_event, 16> events;
    while (served_ < clients) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_) {
          Accept();
        } else if ((events[i].events & EPOLLIN) != 0) {
          Receive(events[i].data.fd);
        } else if ((events[i].events & EPOLLOUT) != 0) {
          Send(events[i].data.fd);
        } else if ((events[i].events & EPOLLHUP) != 0) {
          Close(events[i].data.fd);
        }
      }
    }
  }

 private:
  struct Client {
    std::string request = {};
    std::string_view unsent = examples::kAnswer;
  };

  void Watch(int operation, int fd, std::uint32_t what) {
    epoll_event event = {};
    event.events = what;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }
  void Accept() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    clients_[client] = {};
    Watch(EPOLL_CTL_ADD, client, EPOLLIN);
  }
  void Receive(int client) {
    std::array<char, 1024> buffer;
    const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
    if (got <= 0) return Close(client);
    std::string& request = clients_[client].request;
    request.append(buffer.data(), static_cast<std::size_t>(got));
    if (!examples::Complete(request)) return;
    examples::PrintRequest(request);
    Watch(EPOLL_CTL_MOD, client, EPOLLOUT);
  }
  void Send(int client) {
    std::string_view& unsent = clients_[client].unsent;
    const ssize_t took = send(client, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (took < 0) return Close(client);
    unsent.remove_prefix(static_cast<std::size_t>(took));
    if (!unsent.empty()) return;
    // The end of both directions is told as a hangup, asked for or not.
    Watch(EPOLL_CTL_MOD, client, 0);
    shutdown(client, SHUT_RDWR);
  }
  void Close(int client) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, client, nullptr);
    close(client);
    clients_.erase(client);
    ++served_;
  }

  const int listener_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::map<int, Client> clients_;
  int served_ = 0;
};

int main() {
  const int listener = examples::PlainListen(false);
  std::thread server([listener] { EpollServer(listener).Serve(2); });
  examples::AskSlowlyAndQuickly(examples::PortOf(listener), absl::Minutes(1));
  server.join();
  close(listener);
}

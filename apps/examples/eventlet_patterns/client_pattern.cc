// Fetches pages, many at a time, and takes them in the order of their addresses. They come from a
// web server in this program.
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "green/http.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "pool/green_pool.h"

namespace green = verdant::green;
namespace net = verdant::net;

int main() {
  net::HttpServer web([](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.path() == "/missing") return response.Fail(404);
    (void)response.Write(std::string(100 * request.path().size(), '.'));
  });
  green::Socket listener = *net::Listen("127.0.0.1:0");
  auto serving = verdant::Spawn([&] { return web.Serve(listener); });

  std::vector<std::string> urls;
  for (const char* path : {"/logo.gif", "/missing", "/a/longer/path.gif"}) {
    urls.push_back(absl::StrCat("http://", listener.local()->ToString(), path));
  }
  verdant::GreenPool pool;
  for (const auto& page : pool.Imap(green::http::Get, urls)) {
    if (page.ok() && page->status == 200) {
      std::cout << "got " << page->body.size() << " bytes\n";
    } else {
      std::cout << "got none: "
                << (page.ok() ? absl::StrCat(page->status) : page.status().ToString()) << "\n";
    }
  }

  web.Stop();
  std::cout << "the server ends: " << serving.Wait() << "\n";
}

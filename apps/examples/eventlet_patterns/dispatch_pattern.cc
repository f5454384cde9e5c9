// A web server whose answers need others: it is sent addresses of feeds, a line each, fetches them
// all at once and answers with their titles. The feeds come from this program as well.
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "green/http.h"
#include "green/socket.h"
#include "hub/green_thread.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"

namespace green = verdant::green;
namespace net = verdant::net;

std::string FetchTitle(const std::string& url) {
  const absl::StatusOr<green::http::Response> feed = green::http::Get(url);
  if (!feed.ok()) return "(cannot be fetched)";
  const std::vector<std::string> parts = absl::StrSplit(feed->body, "title>");
  return parts.size() < 2 ? "(no title)" : parts[1].substr(0, parts[1].find('<'));
}

int main() {
  verdant::GreenPool pool;  // of all requests together
  net::HttpServer web([&pool](net::HttpRequest& request, net::HttpResponse& response) {
    if (request.path() != "/titles") {
      (void)response.Write(absl::StrCat("<feed><title>All of ", request.path(), "</title></feed>"));
      return;
    }
    const absl::StatusOr<std::string> urls = request.ReadAll(10000);
    if (!urls.ok()) return response.Fail(400);
    verdant::GreenPile<std::string> titles(pool);
    for (std::string_view url : absl::StrSplit(*urls, '\n', absl::SkipEmpty())) {
      titles.Spawn(FetchTitle, std::string(url));
    }
    response.headers().Set("Content-Type", "text/plain");
    for (const std::string& title : titles) (void)response.Write(title + "\n");
  });
  green::Socket listener = *net::Listen("127.0.0.1:0");
  auto serving = verdant::Spawn([&] { return web.Serve(listener); });

  const std::string root = absl::StrCat("http://", listener.local()->ToString());
  green::http::Request request;
  request.url = root + "/titles";
  request.method = "POST";
  request.body =
      absl::StrCat(root, "/news\n", root, "/weather\n", "no address\n", root, "/sport\n");
  const absl::StatusOr<green::http::Response> answer =
      green::http::Client::Current().Fetch(request);
  std::cout << (answer.ok() ? answer->body : answer.status().ToString() + "\n");

  web.Stop();
  std::cout << "the server ends: " << serving.Wait() << "\n";
}

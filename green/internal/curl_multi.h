#ifndef VERDANT_GREEN_INTERNAL_CURL_MULTI_H_
#define VERDANT_GREEN_INTERNAL_CURL_MULTI_H_

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "hub/hub.h"
#include "hub/io.h"

namespace verdant::green::internal {

// Drives a libcurl multi handle from the hub: its sockets through listeners, its one timer through
// the hub's. Everything libcurl does between Add() and completion happens on the hub's stack, which
// is deep enough for a TLS handshake.
class CurlMulti {
 public:
  CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  CURLM* handle() { return multi_; }

  // Performs `easy` while the calling green thread waits. Throws what is thrown at that green
  // thread, having taken the transfer down.
  CURLcode Perform(CURL* easy);

 private:
  struct Timer;
  struct Waiting;

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* assigned);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  void Act(curl_socket_t fd, int events);
  void CollectFinished();

  Hub& hub_;
  CURLM* multi_;
  std::unique_ptr<Timer> timer_;
  std::unordered_map<curl_socket_t, std::unique_ptr<FdListener>> listeners_;
};

}  // namespace verdant::green::internal

#endif  // VERDANT_GREEN_INTERNAL_CURL_MULTI_H_

#include "green/internal/curl_multi.h"

#include <mutex>
#include <stdexcept>
#include <utility>

#include "hub/internal/poller.h"

namespace verdant::green::internal {

using verdant::kIoHangup;
using verdant::kIoNone;
using verdant::kIoRead;
using verdant::kIoWrite;

struct CurlMulti::Timer : verdant::internal::TimerNode {
  explicit Timer(CurlMulti* m) : TimerNode(&Timer::OnFire), multi(m) {}
  static void OnFire(TimerNode* node) {
    static_cast<Timer*>(node)->multi->Act(CURL_SOCKET_TIMEOUT, 0);
  }
  CurlMulti* multi;
};

// A transfer's green thread, found again through CURLOPT_PRIVATE.
struct CurlMulti::Waiting {
  verdant::internal::Task* task;
  bool done = false;
  CURLcode result = CURLE_OK;
};

CurlMulti::CurlMulti() : hub_(Hub::Current()), timer_(std::make_unique<Timer>(this)) {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw std::runtime_error("curl_global_init failed");
    }
  });
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlMulti::~CurlMulti() { curl_multi_cleanup(multi_); }

int CurlMulti::OnTimer(CURLM*, long timeout_ms, void* data) {
  auto* self = static_cast<CurlMulti*>(data);
  // Never acted on from here: libcurl is inside one of its calls.
  if (timeout_ms < 0) {
    self->timer_->Disarm();
  } else {
    self->hub_.timers().Arm(*self->timer_, self->hub_.NowNanos() + timeout_ms * 1000000);
  }
  return 0;
}

int CurlMulti::OnSocket(CURL*, curl_socket_t fd, int what, void* data, void*) {
  auto* self = static_cast<CurlMulti*>(data);
  if (what == CURL_POLL_REMOVE) {
    self->listeners_.erase(fd);
    return 0;
  }
  std::uint32_t interest = kIoNone;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) interest |= kIoRead;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) interest |= kIoWrite;
  std::unique_ptr<FdListener>& listener = self->listeners_[fd];
  if (listener == nullptr) {
    listener = std::make_unique<FdListener>(fd, [self, fd](std::uint32_t events) {
      int mask = 0;
      if ((events & kIoRead) != 0) mask |= CURL_CSELECT_IN;
      if ((events & kIoWrite) != 0) mask |= CURL_CSELECT_OUT;
      // Let libcurl find out by reading, as poll(2) users do.
      if ((events & kIoHangup) != 0) mask |= CURL_CSELECT_IN | CURL_CSELECT_OUT;
      self->Act(fd, mask);
    });
  }
  listener->SetInterest(interest);
  return 0;
}

void CurlMulti::Act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  CollectFinished();
}

void CurlMulti::CollectFinished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* private_data = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
    auto* waiting = static_cast<Waiting*>(private_data);
    waiting->done = true;
    waiting->result = message->data.result;
    hub_.Wake(waiting->task);
  }
}

CURLcode CurlMulti::Perform(CURL* easy) {
  Waiting waiting{hub_.CurrentTask()};
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &waiting);
  struct Membership {
    CURLM* multi;
    CURL* easy;
    ~Membership() { curl_multi_remove_handle(multi, easy); }
  };
  const CURLMcode added = curl_multi_add_handle(multi_, easy);
  if (added != CURLM_OK)
    return added == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
  const Membership membership{multi_, easy};
  while (!waiting.done) hub_.Park(waiting.task, {"an HTTP transfer"});
  return waiting.result;
}

}  // namespace verdant::green::internal

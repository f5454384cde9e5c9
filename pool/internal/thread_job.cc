#include "pool/internal/thread_job.h"

namespace verdant::internal {

void ThreadJob::Perform(std::shared_ptr<ThreadJob> job) noexcept {
  job->Run();
  const Hub::Remote remote = job->remote_;
  remote.Post([job = std::move(job)] { job->Deliver(); });
}

void ThreadJob::Deliver() {
  done_ = true;
  keepalive_.reset();
  if (waiter_ != nullptr) hub_->Wake(waiter_);
  if (const std::shared_ptr<ThreadDesk> desk = desk_.lock()) desk->CallEnded();
  if (abandoned_ && error_) {
    hub_->ReportUncaught("a call in an OS thread, which nobody waits for any more",
                         std::exchange(error_, nullptr));
  }
}

}  // namespace verdant::internal

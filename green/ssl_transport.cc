#include "green/ssl_transport.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "openssl/bio.h"

namespace verdant::green::internal {
namespace {

// A whole record of the largest kind, and more than one of the usual.
constexpr std::size_t kInputSize = std::size_t{17} << 10;

TlsTransport* Self(BIO* bio) { return static_cast<TlsTransport*>(BIO_get_data(bio)); }

}  // namespace

bssl::UniquePtr<BIO> TlsTransport::NewBio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "verdant socket");
    BIO_meth_set_read(made, &TlsTransport::BioRead);
    BIO_meth_set_write(made, &TlsTransport::BioWrite);
    BIO_meth_set_ctrl(made, &TlsTransport::BioControl);
    return made;
  }();
  bssl::UniquePtr<BIO> bio(BIO_new(method));
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

int TlsTransport::BioRead(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  TlsTransport& self = *Self(bio);
  if (size <= 0) return 0;
  if (self.input_begin_ == self.input_end_) {
    if (self.input_ == nullptr) self.input_ = std::make_unique<char[]>(kInputSize);
    const ssize_t got = self.socket_.TryRecv({self.input_.get(), kInputSize});
    if (got <= 0) {
      self.input_.reset();
      self.input_begin_ = self.input_end_ = 0;
    }
    if (got == -EAGAIN) {
      BIO_set_retry_read(bio);
      return -1;
    }
    if (got < 0) {
      self.error_ = static_cast<int>(-got);
      return -1;
    }
    if (got == 0) {
      self.at_end_ = true;
      return 0;
    }
    self.input_begin_ = 0;
    self.input_end_ = static_cast<std::size_t>(got);
  }
  const std::size_t taken =
      std::min(static_cast<std::size_t>(size), self.input_end_ - self.input_begin_);
  std::memcpy(to, self.input_.get() + self.input_begin_, taken);
  self.input_begin_ += taken;
  return static_cast<int>(taken);
}

int TlsTransport::BioWrite(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  TlsTransport& self = *Self(bio);
  std::string_view data(from, static_cast<std::size_t>(std::max(size, 0)));
  if (self.output_.empty()) {
    const ssize_t took = self.socket_.TrySend(data);
    if (took < 0 && took != -EAGAIN) {
      self.error_ = static_cast<int>(-took);
      return -1;
    }
    data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(took, 0)));
  }
  self.output_.append(data);
  return size;
}

long TlsTransport::BioControl(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

void TlsTransport::TryFlush() {
  std::size_t sent = 0;
  while (sent < output_.size()) {
    const ssize_t took = socket_.TrySend(std::string_view(output_).substr(sent));
    if (took < 0) {
      if (took != -EAGAIN) error_ = static_cast<int>(-took);
      break;
    }
    sent += static_cast<std::size_t>(took);
  }
  output_.erase(0, sent);
}

absl::Status TlsTransport::Flush(Deadline deadline, std::string_view operation) {
  if (!pending()) return absl::OkStatus();
  struct Flushing {
    bool& flag;
    explicit Flushing(bool& f) : flag(f) { flag = true; }
    ~Flushing() { flag = false; }
  } flushing(flushing_);
  while (pending()) {
    TryFlush();
    if (!pending()) break;
    if (error_ != 0) return socket_.Error(error_, operation);
    if (absl::Status status = socket_.WaitWritable(deadline, operation); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

}  // namespace verdant::green::internal

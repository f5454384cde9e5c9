#include "hub/internal/system_call.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

struct Known {
  long number;
  const char* name;
  bool has_descriptor;  // as its first argument
};

// Those that a program is likely to be found waiting in; others go by their number.
constexpr Known kKnown[] = {
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread", true},
    {SYS_pwrite64, "pwrite", true},
    {SYS_openat, "openat", false},
    {SYS_close, "close", true},
    {SYS_fsync, "fsync", true},
    {SYS_fdatasync, "fdatasync", true},
    {SYS_ftruncate, "ftruncate", true},
    {SYS_fallocate, "fallocate", true},
    {SYS_flock, "flock", true},
    {SYS_fcntl, "fcntl", true},
    {SYS_ioctl, "ioctl", true},
    {SYS_getdents64, "getdents", true},
    {SYS_sendfile, "sendfile", true},
    {SYS_splice, "splice", true},
    {SYS_connect, "connect", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept4", true},
    {SYS_recvfrom, "recvfrom", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_recvmmsg, "recvmmsg", true},
    {SYS_sendto, "sendto", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_epoll_pwait, "epoll_pwait", true},
    {SYS_ppoll, "ppoll", false},
    {SYS_pselect6, "pselect6", false},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_futex, "futex", false},
    {SYS_wait4, "wait4", false},
    {SYS_waitid, "waitid", false},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", false},
    {SYS_msync, "msync", false},
    {SYS_munmap, "munmap", false},
    {SYS_madvise, "madvise", false},
    {SYS_renameat, "renameat", false},
    {SYS_unlinkat, "unlinkat", false},
    {SYS_sync, "sync", false},
#if defined(__x86_64__)
    {SYS_open, "open", false},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_poll, "poll", false},
    {SYS_select, "select", false},
    {SYS_pause, "pause", false},
    {SYS_stat, "stat", false},
    {SYS_rename, "rename", false},
    {SYS_unlink, "unlink", false},
#endif
};

// The beginning of a file of the kernel's; its length, or 0.
std::size_t ReadStart(const std::string& path, char* text, std::size_t size) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t length = read(fd, text, size - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  return static_cast<std::size_t>(length);
}

std::string ThreadFile(pid_t thread, const char* name) {
  return absl::StrCat("/proc/self/task/", thread, "/", name);
}

}  // namespace

std::string SystemCall::Describe() const {
  for (const Known& known : kKnown) {
    if (known.number != number) continue;
    if (!known.has_descriptor) return known.name;
    std::string text = absl::StrCat(known.name, " of file descriptor ", arguments[0]);
    char target[256];
    const ssize_t length =
        readlink(absl::StrCat("/proc/self/fd/", arguments[0]).c_str(), target, sizeof(target));
    if (length > 0)
      absl::StrAppend(&text, ", ", std::string_view(target, static_cast<std::size_t>(length)));
    return text;
  }
  return absl::StrCat("number ", number);
}

std::optional<SystemCall> ParseSystemCall(const char* text) {
  SystemCall call;
  char* end = nullptr;
  call.number = std::strtol(text, &end, 10);
  if (end == text || call.number < 0) return std::nullopt;
  for (std::uintptr_t* word :
       {&call.arguments[0], &call.arguments[1], &call.arguments[2], &call.arguments[3],
        &call.arguments[4], &call.arguments[5], &call.sp, &call.pc}) {
    const char* at = end;
    *word = std::strtoul(at, &end, 16);
    if (end == at) return std::nullopt;
  }
  return call;
}

std::optional<SystemCall> ReadSystemCall(pid_t thread) {
  char text[256];
  if (ReadStart(ThreadFile(thread, "syscall"), text, sizeof(text)) == 0) return std::nullopt;
  return ParseSystemCall(text);
}

std::uint64_t ReadRunDelayNanos(pid_t thread) {
  char text[128];
  if (ReadStart(ThreadFile(thread, "schedstat"), text, sizeof(text)) == 0) return 0;
  unsigned long long ran = 0;
  unsigned long long waited = 0;
  return std::sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}

std::size_t CopyMemory(std::uintptr_t from, void* to, std::size_t bytes) {
  iovec local = {to, bytes};
  iovec remote = {reinterpret_cast<void*>(from), bytes};
  ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  if (copied < 0 && (errno == ENOSYS || errno == EPERM)) {
    // Some sandboxes and emulators lack it.
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0) return 0;
    copied = pread(memory, to, bytes, static_cast<off_t>(from));
    close(memory);
  }
  return copied > 0 ? static_cast<std::size_t>(copied) : 0;
}

}  // namespace verdant::internal

#ifndef VERDANT_TESTS_TESTING_FORBIDDEN_CALL_H_
#define VERDANT_TESTS_TESTING_FORBIDDEN_CALL_H_

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cstddef>

namespace verdant {

// Has that system call fail with `error` from now on, on this thread and those that it starts, as
// sandboxes do. False where there are no filters of system calls. For a forked child.
inline bool ForbidCall(unsigned number, unsigned error) {
  std::array<sock_filter, 4> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program = {filter.size(), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace verdant

#endif  // VERDANT_TESTS_TESTING_FORBIDDEN_CALL_H_

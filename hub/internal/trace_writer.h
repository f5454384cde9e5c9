#ifndef VERDANT_HUB_INTERNAL_TRACE_WRITER_H_
#define VERDANT_HUB_INTERNAL_TRACE_WRITER_H_

namespace verdant::internal {

class TraceLog;

// Writes what the log's rings contain as JSON in the Trace Event Format. Async-signal-safe. 0, or
// the errno of what failed.
int WriteTrace(const TraceLog& log, int fd) noexcept;

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TRACE_WRITER_H_

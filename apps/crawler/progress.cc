#include "apps/crawler/progress.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "apps/crawler/line_writer.h"

namespace verdant::crawler {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(250);

void Paint(std::string_view line) {
  static_cast<void>(
      WriteFully(STDERR_FILENO, absl::StrCat("\r", line, "\x1b[K"), "standard error"));
}

}  // namespace

Progress::Progress(std::function<std::string()> text) {
  if (isatty(STDERR_FILENO) == 0) return;
  painter_ = Spawn([text = std::move(text)] {
    for (;;) {
      Paint(text());
      Sleep(kInterval);
    }
  });
}

Progress::~Progress() {
  if (!painter_) return;
  painter_.Kill();
  Paint("");
}

}  // namespace verdant::crawler

#ifndef VERDANT_APPS_CRAWLER_PROGRESS_H_
#define VERDANT_APPS_CRAWLER_PROGRESS_H_

#include <functional>
#include <string>

#include "hub/green_thread.h"

namespace verdant::crawler {

// A line on standard error that is rewritten a few times a second while the object lives, if
// standard error is a terminal; nothing otherwise. It is wiped at the end.
class Progress {
 public:
  // `text` is asked for each line, without its end.
  explicit Progress(std::function<std::string()> text);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  GreenThread<void> painter_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_PROGRESS_H_

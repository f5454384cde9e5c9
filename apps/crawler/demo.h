#ifndef VERDANT_APPS_CRAWLER_DEMO_H_
#define VERDANT_APPS_CRAWLER_DEMO_H_

#include "apps/crawler/commands.h"

namespace verdant::crawler {

// Runs `crawler demo`: serves the made-up web on a loopback port, crawls it in the same process and
// compares what was asked for with what should have been. Returns the program's exit status.
int RunDemo(const DemoCommand& command);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_DEMO_H_

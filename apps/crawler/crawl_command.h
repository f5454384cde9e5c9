#ifndef VERDANT_APPS_CRAWLER_CRAWL_COMMAND_H_
#define VERDANT_APPS_CRAWLER_CRAWL_COMMAND_H_

#include <string>

#include "apps/crawler/commands.h"
#include "apps/crawler/crawl.h"

namespace verdant::crawler {

// Runs `crawler crawl`: a Crawl whose records go to DIR/pages.jsonl, its summary to standard
// output. Returns the program's exit status.
int RunCrawl(const CrawlCommand& command);

// A record as a line of pages.jsonl.
std::string ToLine(const PageRecord& record);
// What the progress line of a crawl says.
std::string ProgressText(const Crawl& crawl);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_CRAWL_COMMAND_H_

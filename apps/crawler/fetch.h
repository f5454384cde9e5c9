#ifndef VERDANT_APPS_CRAWLER_FETCH_H_
#define VERDANT_APPS_CRAWLER_FETCH_H_

#include "apps/crawler/commands.h"

namespace verdant::crawler {

// Runs `crawler fetch`: the URLs of the command line, then those of the list, through
// GreenPool::Imap; one JSON line for each in that order. Memory does not grow with the list.
// Returns the program's exit status.
int RunFetch(const FetchCommand& command);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_FETCH_H_

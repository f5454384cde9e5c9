#ifndef VERDANT_APPS_CRAWLER_PAGE_URLS_H_
#define VERDANT_APPS_CRAWLER_PAGE_URLS_H_

#include <vector>

#include "apps/crawler/links.h"
#include "apps/crawler/url.h"

namespace verdant::crawler {

// One URL that a page links to.
struct PageUrl {
  Url url;
  LinkElement element;  // of the first link to it
  bool nofollow;        // every link to it on this page says rel=nofollow
};

// Makes absolute URLs of a page's links: each once, in the order of their first links. The base is
// the page's <base href> when that gives an http or https URL, else `page`. Links that are no URL
// we could fetch, and those that only name a server (Link::hint), are left out; links to the page
// itself are not.
std::vector<PageUrl> ResolvePageUrls(const Url& page, const PageLinks& links);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_PAGE_URLS_H_

#ifndef VERDANT_APPS_CRAWLER_LINKS_H_
#define VERDANT_APPS_CRAWLER_LINKS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/crawler/link_kind.h"
#include "apps/crawler/robots_directives.h"

namespace verdant::crawler {

struct Link {
  LinkElement element;
  LinkAttribute attribute;
  // rel=nofollow on the element; what to make of it is the caller's policy.
  bool nofollow = false;
  // A <link> that only names a server to get ready for (rel=preconnect or dns-prefetch): no page.
  bool hint = false;
  // As written, entities decoded and surrounding white space gone; relative to the page's base.
  std::string url;
};

// What one HTML document says.
struct PageLinks {
  // In document order. References with another scheme than http and https ("mailto:", "data:",
  // "javascript:"...) are left out, as are empty ones.
  std::vector<Link> links;
  // The href of the first <base> that has one; it governs all links, those before it too.
  std::optional<std::string> base;
  // All <meta name=robots> and <meta name=OUR-TOKEN> elements together.
  RobotsDirectives directives;
  // LinkLimits::max_links was reached and the rest of the document not read.
  bool truncated = false;
};

struct LinkLimits {
  // After this many links the rest of the document is not read.
  size_t max_links = 100'000;
  // A longer URL is left out. (A longer srcset or meta content is not split at all.)
  size_t max_url_bytes = 8192;
  size_t max_attribute_bytes = 256 * 1024;
};

// Finds the links of HTML documents with a WHATWG tokenizer alone: no tree is built, so scripts,
// comments and text cannot invent links, and no nesting can exhaust anything. A document comes in
// any number of chunks, cut anywhere.
//
// Knows the elements of LinkElement, srcset and imagesrcset, base, meta refresh and meta robots,
// and the CSS in style elements and style attributes (see CssLinkExtractor). The contents of
// script, style, textarea, title, iframe, noembed, noframes, xmp and plaintext are text; those of
// noscript and template are read. Bytes outside ASCII are passed through, so any encoding that is a
// superset of ASCII works (the URLs then hold its bytes; see Url::Resolve); a UTF-16 or UTF-32
// document gives no links. No input makes it fail; time is linear in the input, and memory is that
// of the links and of the longest text or attribute. Of an element with more than some two hundred
// attributes only the last ones may be seen.
//
// Reusable: after Finish() it is ready for the next document, which is cheaper than making a new
// one. One thread at a time. Throws std::bad_alloc when memory runs out.
class LinkExtractor {
 public:
  // `product_token` is our name in <meta name=...> (see ProductToken).
  explicit LinkExtractor(std::string_view product_token, const LinkLimits& limits = {});
  ~LinkExtractor();
  LinkExtractor(LinkExtractor&&) noexcept;
  LinkExtractor& operator=(LinkExtractor&&) noexcept;

  // Reads the next part of the document.
  void Feed(std::string_view chunk);

  // Ends the document and hands out what it held.
  PageLinks Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_LINKS_H_

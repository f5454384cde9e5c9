#ifndef VERDANT_APPS_CRAWLER_CSS_LINKS_H_
#define VERDANT_APPS_CRAWLER_CSS_LINKS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace verdant::crawler {

struct CssLink {
  bool import = false;  // of an @import: another stylesheet
  // As written, escapes decoded and surrounding white space gone; relative to the stylesheet.
  std::string url;
};

struct CssLimits {
  // After this many links the rest of the stylesheet is not read.
  size_t max_links = 100'000;
  // A longer URL is left out.
  size_t max_url_bytes = 8192;
  // Of one token, as a string with a font inside. At a longer one the stylesheet ends for us.
  size_t max_token_bytes = size_t{8} << 20;
};

struct CssLinks {
  std::vector<CssLink> links;  // in order, repeated ones too
  bool truncated = false;      // a limit was reached and the rest not read
};

// Finds the URLs of stylesheets with a CSS tokenizer alone (css-syntax-3): url(...), quoted or not,
// wherever it stands, and @import with either a string or a url(). Comments and other strings
// cannot invent links. Left out are empty URLs, mere fragments ("#shape"), "data:" URLs and the
// names in @namespace; not known are the bare strings of image-set() and src(). Takes the
// declarations of a style attribute just as well.
//
// A stylesheet comes in any number of chunks, cut anywhere. Bytes that are not UTF-8 become U+FFFD.
// No input makes it fail; time is linear in the input, and memory is that of the links and twice
// the longest token.
//
// Reusable: after Finish() it is ready for the next stylesheet. One thread at a time. Throws
// std::bad_alloc when memory runs out.
class CssLinkExtractor {
 public:
  explicit CssLinkExtractor(const CssLimits& limits = {});
  ~CssLinkExtractor();
  CssLinkExtractor(CssLinkExtractor&&) noexcept;
  CssLinkExtractor& operator=(CssLinkExtractor&&) noexcept;

  // Reads the next part of the stylesheet.
  void Feed(std::string_view chunk);

  // Ends the stylesheet and hands out what it held.
  CssLinks Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether `css` can hold a link at all: a look that spares most style attributes the tokenizer.
bool MayHoldCssLinks(std::string_view css);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_CSS_LINKS_H_

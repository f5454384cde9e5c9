#ifndef VERDANT_APPS_CRAWLER_PLAIN_MARKUP_H_
#define VERDANT_APPS_CRAWLER_PLAIN_MARKUP_H_

#include <cstddef>
#include <string_view>

namespace verdant::crawler {

// How many leading bytes of `html` a tokenizer in the data state (between tags, in ordinary
// content) may leave out without missing a link: text, and tags without attributes whose names do
// not change how what follows is read. Most of a document is that, and finding its end takes a
// fraction of tokenizing it. Stops before a tag that `html` cuts off. Pure; linear time.
std::size_t SkipPlainMarkup(std::string_view html);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_PLAIN_MARKUP_H_

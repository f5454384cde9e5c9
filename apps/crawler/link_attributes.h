#ifndef VERDANT_APPS_CRAWLER_LINK_ATTRIBUTES_H_
#define VERDANT_APPS_CRAWLER_LINK_ATTRIBUTES_H_

#include <optional>
#include <string_view>

namespace verdant::crawler {

// The attributes of one start tag that can matter to its links; of repeated ones the first counts.
struct LinkAttributes {
  using Value = std::optional<std::string_view>;

  // Where the value of the attribute of this name in small letters goes; null if it does not
  // matter.
  Value* Slot(std::string_view attribute);

  Value href, src, srcset, imagesrcset, data, poster, rel, name, content, http_equiv, xlink_href;
};

// `text` without the white space of HTML around it.
std::string_view StripHtmlSpace(std::string_view text);

// Whether `list`, of words with white space between, has `word`; capital and small letters are the
// same.
bool HasWord(std::string_view list, std::string_view word);

// Whether `url` has a scheme that cannot be fetched, such as "mailto:".
bool HasForeignScheme(std::string_view url);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_LINK_ATTRIBUTES_H_

#ifndef VERDANT_APPS_CRAWLER_LINK_KIND_H_
#define VERDANT_APPS_CRAWLER_LINK_KIND_H_

#include <string_view>

namespace verdant::crawler {

// The element that a link was found on. kStyle is all that CSS names: in stylesheets, <style> and
// style attributes.
enum class LinkElement {
  kA,
  kArea,
  kAudio,
  kEmbed,
  kFrame,
  kIframe,
  kImg,
  kInput,
  kLink,
  kMeta,
  kObject,
  kScript,
  kSource,
  kStyle,
  kTrack,
  kVideo,
};

// The attribute that held it. kContent is a <meta http-equiv=refresh>; kUrl and kImport are CSS's
// url() and @import.
enum class LinkAttribute {
  kHref,
  kSrc,
  kSrcset,
  kImagesrcset,
  kData,
  kPoster,
  kContent,
  kUrl,
  kImport,
};

// The names in HTML and CSS: "a", "href", "@import".
std::string_view LinkElementName(LinkElement element);
std::string_view LinkAttributeName(LinkAttribute attribute);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_LINK_KIND_H_

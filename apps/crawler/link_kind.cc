#include "apps/crawler/link_kind.h"

namespace verdant::crawler {

std::string_view LinkElementName(LinkElement element) {
  switch (element) {
    case LinkElement::kA:
      return "a";
    case LinkElement::kArea:
      return "area";
    case LinkElement::kAudio:
      return "audio";
    case LinkElement::kEmbed:
      return "embed";
    case LinkElement::kFrame:
      return "frame";
    case LinkElement::kIframe:
      return "iframe";
    case LinkElement::kImg:
      return "img";
    case LinkElement::kInput:
      return "input";
    case LinkElement::kLink:
      return "link";
    case LinkElement::kMeta:
      return "meta";
    case LinkElement::kObject:
      return "object";
    case LinkElement::kScript:
      return "script";
    case LinkElement::kSource:
      return "source";
    case LinkElement::kStyle:
      return "style";
    case LinkElement::kTrack:
      return "track";
    case LinkElement::kVideo:
      return "video";
  }
  return "unknown";
}

std::string_view LinkAttributeName(LinkAttribute attribute) {
  switch (attribute) {
    case LinkAttribute::kHref:
      return "href";
    case LinkAttribute::kSrc:
      return "src";
    case LinkAttribute::kSrcset:
      return "srcset";
    case LinkAttribute::kImagesrcset:
      return "imagesrcset";
    case LinkAttribute::kData:
      return "data";
    case LinkAttribute::kPoster:
      return "poster";
    case LinkAttribute::kContent:
      return "content";
    case LinkAttribute::kUrl:
      return "url()";
    case LinkAttribute::kImport:
      return "@import";
  }
  return "unknown";
}

}  // namespace verdant::crawler

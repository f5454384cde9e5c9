#ifndef VERDANT_APPS_CRAWLER_DEMO_GRAPH_H_
#define VERDANT_APPS_CRAWLER_DEMO_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verdant::crawler {

// How the demo site spells one link.
enum class DemoLinkForm {
  kAbsolutePath,
  kRelativePath,
  kAbsoluteUrl,
  kSchemeRelative,
  kFragments,  // the same target twice, with two fragments
  kUnquoted,
  kEntities,
  kSpaces,
  kDotSegments,
  kDecoded,  // percent-encoded letters and spaces written out
  kArea,
  kIframe,
  kLinkNext,
  kMetaRefresh,
  kStylesheet,
  kScript,
  kImage,
  kSrcset,      // begins a srcset,
  kSrcsetNext,  // goes on with it
  kStyleAttribute,
  kStyleElement,
  kCssUrl,     // in a stylesheet
  kCssImport,  // in a stylesheet
  kRelNofollow,
  kTop,  // "#top": the base
};

struct DemoLink {
  DemoLinkForm form;
  std::string target;  // path and query, as the canonical URL has them
};

// What stands at one target of the demo site.
struct DemoNode {
  // Why a crawler that keeps the rules never asks for it.
  enum class Fate { kVisited, kForbidden, kTrap };
  enum class Body { kHtml, kText, kCss, kScript, kPng };

  std::string target;
  int status = 200;
  Fate fate = Fate::kVisited;
  Body body = Body::kHtml;
  std::vector<DemoLink> links = {};
  // A redirect's target here, or a whole URL on a host that is out of scope.
  std::optional<std::string> redirect = {};
  std::optional<std::string> base = {};  // <base href>: a directory
  bool meta_nofollow = false;
  bool header_nofollow = false;
  bool noindex = false;
  bool other_agents_nofollow = false;  // directives that name another crawler
  bool decoys = false;                 // text that looks like links and links that lead elsewhere
  bool gzip = false;
  int delay_ms = 0;
  uint64_t entropy = 0;  // for choices that only change the spelling
};

// The link graph of a made-up web site, a pure function of (pages, seed): what is at a target, and
// which targets a crawler has to visit. The same object serves many threads.
//
// Pages form a tree, so that each can be reached, plus random links across. Among them are
// redirects, missing pages, pages that robots.txt or a nofollow hides, and, off the root: a
// redirect chain, a redirect loop, redirects without end, an unbounded calendar cut by robots.txt,
// a maze of repeated path segments and an ever deeper spiral, both cut by FindUrlTrap's default
// limits.
class DemoGraph {
 public:
  // The length at which a crawler must give up a chain of redirects.
  static constexpr int kMaxRedirects = 10;

  // std::logic_error when `pages` is less than 1.
  DemoGraph(int pages, uint64_t seed);

  // nullopt: nothing is there (404).
  std::optional<DemoNode> Find(std::string_view target) const;

  // All targets that a crawl from "/" requests, sorted, /robots.txt aside. The crawl takes each
  // redirect as a link (up to kMaxRedirects in a row), keeps the rules for the "*" agent, and
  // follows rel=nofollow links only if told so. Found by walking the graph: no HTML, robots.txt or
  // URL is parsed for it, so that a bug in the crawler's parsers cannot hide in both sets.
  std::vector<std::string> Expected(bool follow_rel_nofollow = false) const;

 private:
  enum class Kind : uint8_t;

  uint64_t Random(uint64_t a, uint64_t b) const;
  Kind KindOf(size_t id) const;
  bool IsCarrier(size_t id) const;
  size_t CarrierAtOrAbove(size_t id) const;
  std::string TargetOf(size_t id) const;
  std::optional<size_t> IdOf(std::string_view target) const;
  DemoNode PageNode(size_t id) const;
  void FillCarrier(size_t id, DemoNode* node) const;
  void AddRootLinks(DemoNode* node) const;
  std::optional<DemoNode> SpecialNode(std::string_view target) const;

  size_t pages_;
  uint64_t seed_;
  // The pages linked from each carrier as its children: children_[first_child_[id]] and on.
  std::vector<uint32_t> first_child_;
  std::vector<uint32_t> children_;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_DEMO_GRAPH_H_

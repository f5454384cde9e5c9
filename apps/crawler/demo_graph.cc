#include "apps/crawler/demo_graph.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace verdant::crawler {
namespace {

constexpr size_t kBranches = 8;
constexpr int kCrossLinks = 3;
constexpr int kChainLength = 5;
constexpr int kLastVisitedMaze = 2;     // "again/" at most twice in a row
constexpr int kLastVisitedSpiral = 19;  // with "spiral", 20 segments

constexpr DemoLinkForm kPageForms[] = {
    DemoLinkForm::kAbsolutePath, DemoLinkForm::kAbsolutePath, DemoLinkForm::kRelativePath,
    DemoLinkForm::kRelativePath, DemoLinkForm::kAbsoluteUrl,  DemoLinkForm::kSchemeRelative,
    DemoLinkForm::kFragments,    DemoLinkForm::kUnquoted,     DemoLinkForm::kEntities,
    DemoLinkForm::kSpaces,       DemoLinkForm::kDotSegments,  DemoLinkForm::kDecoded,
    DemoLinkForm::kArea,         DemoLinkForm::kIframe,       DemoLinkForm::kLinkNext,
    DemoLinkForm::kMetaRefresh,
};

// What Random's second argument says the number is for.
enum Purpose : uint64_t {
  kForKind = 1,
  kForStyle,
  kForStatus,
  kForRedirect,
  kForFlags,
  kForSpelling,
  kForCrossLink = 100,
  kForForm = 1000,
};

// The finaliser of SplitMix64.
uint64_t Scramble(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// The number in "/prefixNUMBERsuffix" without leading zeros, if it is one.
std::optional<uint64_t> NumberBetween(std::string_view text, std::string_view prefix,
                                      std::string_view suffix) {
  if (!absl::ConsumePrefix(&text, prefix) || !absl::ConsumeSuffix(&text, suffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || absl::StrCat(number) != text) return std::nullopt;
  return number;
}

DemoNode LeafNode(std::string_view target, DemoNode::Body body) {
  DemoNode node;
  node.target = std::string(target);
  node.body = body;
  return node;
}

DemoNode RedirectNode(std::string_view target, int status, std::string to) {
  DemoNode node;
  node.target = std::string(target);
  node.status = status;
  node.body = DemoNode::Body::kText;
  node.redirect = std::move(to);
  return node;
}

// "/calendar/YEAR/MONTH.html", each with a link to the next month, for ever.
std::optional<DemoNode> CalendarNode(std::string_view target) {
  if (target == "/calendar/about.html") return LeafNode(target, DemoNode::Body::kHtml);
  int64_t month = 0;
  if (const auto query = NumberBetween(target, "/calendar?month=", "")) {
    month = static_cast<int64_t>(*query);
  } else if (const auto path = NumberBetween(target, "/calendar/month-", ".html")) {
    month = static_cast<int64_t>(*path);
  } else {
    return std::nullopt;
  }
  DemoNode node = LeafNode(target, DemoNode::Body::kHtml);
  node.fate = DemoNode::Fate::kForbidden;
  node.links.push_back({DemoLinkForm::kAbsolutePath, absl::StrCat("/calendar?month=", month + 1)});
  node.links.push_back(
      {DemoLinkForm::kRelativePath, absl::StrCat("/calendar/month-", month + 1, ".html")});
  return node;
}

// "/maze/again/again/...": a relative link that always leads one level down.
std::optional<DemoNode> MazeNode(std::string_view target) {
  std::string_view rest = target;
  if (!absl::ConsumePrefix(&rest, "/maze/")) return std::nullopt;
  int level = 0;
  while (absl::ConsumePrefix(&rest, "again/")) ++level;
  if (!rest.empty()) return std::nullopt;
  DemoNode node = LeafNode(target, DemoNode::Body::kHtml);
  if (level > kLastVisitedMaze) node.fate = DemoNode::Fate::kTrap;
  node.links.push_back({DemoLinkForm::kRelativePath, absl::StrCat(target, "again/")});
  return node;
}

// "/spiral/1/2/3/...": as the maze, but no segment repeats.
std::optional<DemoNode> SpiralNode(std::string_view target) {
  std::string_view rest = target;
  if (!absl::ConsumePrefix(&rest, "/spiral/")) return std::nullopt;
  int level = 0;
  while (absl::ConsumePrefix(&rest, absl::StrCat(level + 1, "/"))) ++level;
  if (!rest.empty()) return std::nullopt;
  DemoNode node = LeafNode(target, DemoNode::Body::kHtml);
  if (level > kLastVisitedSpiral) node.fate = DemoNode::Fate::kTrap;
  node.links.push_back({DemoLinkForm::kRelativePath, absl::StrCat(target, level + 1, "/")});
  return node;
}

std::optional<DemoNode> RedirectSeriesNode(std::string_view target) {
  if (target == "/loop/a") return RedirectNode(target, 301, "/loop/b");
  if (target == "/loop/b") return RedirectNode(target, 302, "/loop/c");
  if (target == "/loop/c") return RedirectNode(target, 307, "/loop/a");
  if (const auto left = NumberBetween(target, "/chain/", ""); left && *left <= kChainLength) {
    if (*left == 0) return LeafNode(target, DemoNode::Body::kHtml);
    return RedirectNode(target, 302, absl::StrCat("/chain/", *left - 1));
  }
  if (const auto step = NumberBetween(target, "/endless/", "")) {
    return RedirectNode(target, 302, absl::StrCat("/endless/", *step + 1));
  }
  return std::nullopt;
}

}  // namespace

enum class DemoGraph::Kind : uint8_t {
  kPage,
  kRedirect,
  kMissing,
  kForbidden,     // under /private/
  kOpen,          // under /private/open/, which a longer rule allows again
  kSecretFile,    // forbidden by a rule with wildcards
  kMetaNofollow,  // its links must not be followed
  kHeaderNofollow,
  kNoindex,
  kText,
};

DemoGraph::DemoGraph(int pages, uint64_t seed)
    : pages_(static_cast<size_t>(pages)), seed_(seed), first_child_(pages_ + 1) {
  if (pages < 1) throw std::logic_error("DemoGraph: needs at least one page");
  std::vector<uint32_t> parent(pages_);
  for (size_t id = 1; id < pages_; ++id) {
    parent[id] = static_cast<uint32_t>(CarrierAtOrAbove((id - 1) / kBranches));
    ++first_child_[parent[id] + 1];
  }
  for (size_t id = 0; id < pages_; ++id) first_child_[id + 1] += first_child_[id];
  children_.resize(pages_ - 1);
  std::vector<uint32_t> next(first_child_.begin(), first_child_.end() - 1);
  for (size_t id = 1; id < pages_; ++id) {
    children_[next[parent[id]]++] = static_cast<uint32_t>(id);
  }
}

uint64_t DemoGraph::Random(uint64_t a, uint64_t b) const {
  return Scramble(Scramble(Scramble(seed_) ^ a) ^ b);
}

DemoGraph::Kind DemoGraph::KindOf(size_t id) const {
  if (id == 0) return Kind::kPage;
  const uint64_t percent = Random(id, kForKind) % 100;
  if (percent < 6) return Kind::kRedirect;
  if (percent < 10) return Kind::kMissing;
  if (percent < 13) return Kind::kForbidden;
  if (percent < 15) return Kind::kOpen;
  if (percent < 16) return Kind::kSecretFile;
  if (percent < 17) return Kind::kMetaNofollow;
  if (percent < 18) return Kind::kHeaderNofollow;
  if (percent < 20) return Kind::kNoindex;
  if (percent < 21) return Kind::kText;
  return Kind::kPage;
}

bool DemoGraph::IsCarrier(size_t id) const {
  const Kind kind = KindOf(id);
  return kind == Kind::kPage || kind == Kind::kOpen || kind == Kind::kNoindex;
}

size_t DemoGraph::CarrierAtOrAbove(size_t id) const {
  while (!IsCarrier(id)) id = (id - 1) / kBranches;
  return id;
}

std::string DemoGraph::TargetOf(size_t id) const {
  if (id == 0) return "/";
  switch (KindOf(id)) {
    case Kind::kForbidden:
      return absl::StrCat("/private/page-", id, ".html");
    case Kind::kOpen:
      return absl::StrCat("/private/open/page-", id, ".html");
    case Kind::kSecretFile:
      return absl::StrCat("/files/", id, ".secret");
    case Kind::kText:
      return absl::StrCat("/files/", id, ".txt");
    default:
      break;
  }
  switch (Random(id, kForStyle) % 6) {
    case 0:
      return absl::StrCat("/page-", id, ".html");
    case 1:
      return absl::StrCat("/docs/", id % 5, "/", id % 3, "/page-", id, ".html");
    case 2:
      return absl::StrCat("/view?id=", id, "&lang=en");
    case 3:
      return absl::StrCat("/caf%C3%A9/page-", id, ".html");
    case 4:
      return absl::StrCat("/docs/", id % 5, "/page-", id, "/");
    default:
      return absl::StrCat("/a%20b/page-", id, ".html");
  }
}

std::optional<size_t> DemoGraph::IdOf(std::string_view target) const {
  if (target == "/") return 0;
  const auto is_digit = [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) != 0;
  };
  // The id is the last number in every style; spelling it again settles the rest.
  size_t end = target.size();
  while (end > 0 && !is_digit(target[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && is_digit(target[begin - 1])) --begin;
  uint64_t id = 0;
  if (!absl::SimpleAtoi(target.substr(begin, end - begin), &id)) return std::nullopt;
  if (id >= pages_ || TargetOf(id) != target) return std::nullopt;
  return id;
}

std::optional<DemoNode> DemoGraph::Find(std::string_view target) const {
  if (const auto id = IdOf(target)) return PageNode(*id);
  return SpecialNode(target);
}

DemoNode DemoGraph::PageNode(size_t id) const {
  DemoNode node;
  node.target = TargetOf(id);
  node.entropy = Random(id, kForSpelling);
  const auto hidden_link = [id] {
    return DemoLink{DemoLinkForm::kAbsolutePath, absl::StrCat("/hidden/", id, ".html")};
  };
  switch (KindOf(id)) {
    case Kind::kRedirect: {
      constexpr std::array<int, 5> kStatuses = {301, 302, 303, 307, 308};
      const uint64_t random = Random(id, kForRedirect);
      std::string to = TargetOf(CarrierAtOrAbove(random / 8 % pages_));
      if (random % 8 == 0) to = absl::StrCat("/private/from-", id, ".html");
      if (random % 8 == 1) to = absl::StrCat("http://outside.invalid/", id);
      return RedirectNode(node.target, kStatuses[Random(id, kForStatus) % kStatuses.size()],
                          std::move(to));
    }
    case Kind::kMissing:
      node.status = Random(id, kForStatus) % 4 == 0 ? 410 : 404;
      return node;
    case Kind::kForbidden:
    case Kind::kSecretFile:
      node.fate = DemoNode::Fate::kForbidden;
      node.links.push_back(hidden_link());
      return node;
    case Kind::kMetaNofollow:
      node.meta_nofollow = true;
      node.links.push_back(hidden_link());
      return node;
    case Kind::kHeaderNofollow:
      node.header_nofollow = true;
      node.links.push_back(hidden_link());
      return node;
    case Kind::kText:
      node.body = DemoNode::Body::kText;
      node.decoys = true;
      return node;
    case Kind::kPage:
    case Kind::kOpen:
    case Kind::kNoindex:
      node.noindex = KindOf(id) == Kind::kNoindex;
      FillCarrier(id, &node);
      return node;
  }
  return node;
}

void DemoGraph::FillCarrier(size_t id, DemoNode* node) const {
  const uint64_t flags = Random(id, kForFlags);
  node->decoys = true;
  node->gzip = flags % 10 == 0;
  node->other_agents_nofollow = flags / 10 % 20 == 0;
  if (flags / 200 % 50 == 0) node->delay_ms = 20 + static_cast<int>(flags / 10'000 % 60);
  if (id != 0 && flags / 1'000'000 % 12 == 0) node->base = absl::StrCat("/docs/", id % 5, "/");

  const auto add_page = [&](size_t to) {
    const uint64_t form = Random(id, kForForm + to) % std::size(kPageForms);
    node->links.push_back({kPageForms[form], TargetOf(to)});
  };
  for (uint32_t i = first_child_[id]; i < first_child_[id + 1]; ++i) add_page(children_[i]);
  for (int i = 0; i < kCrossLinks; ++i) {
    add_page(Random(id, kForCrossLink + static_cast<uint64_t>(i)) % pages_);
  }
  node->links.push_back({DemoLinkForm::kRelNofollow, absl::StrCat("/unfollowed/", id, ".html")});
  node->links.push_back({DemoLinkForm::kStylesheet, "/assets/style.css"});
  node->links.push_back({DemoLinkForm::kTop, node->base.value_or(node->target)});
  if (id % 5 == 0) {
    node->links.push_back({DemoLinkForm::kImage, "/assets/logo.png"});
    node->links.push_back({DemoLinkForm::kScript, "/assets/app.js"});
    node->links.push_back({DemoLinkForm::kSrcset, absl::StrCat("/img/", id, "-1x.png")});
    node->links.push_back({DemoLinkForm::kSrcsetNext, absl::StrCat("/img/", id, "-2x.png")});
  }
  if (id % 20 == 0) {
    node->links.push_back({DemoLinkForm::kStyleAttribute, absl::StrCat("/img/", id, "-back.png")});
    node->links.push_back({DemoLinkForm::kStyleElement, absl::StrCat("/img/", id, "-rule.png")});
  }
  if (id == 0) AddRootLinks(node);
}

void DemoGraph::AddRootLinks(DemoNode* node) const {
  for (const std::string_view target :
       {"/loop/a", "/chain/5", "/endless/0", "/calendar/about.html", "/calendar/month-1.html",
        "/calendar?month=1", "/maze/", "/spiral/", "/nothing-here.html"}) {
    node->links.push_back({DemoLinkForm::kAbsolutePath, std::string(target)});
  }
}

std::optional<DemoNode> DemoGraph::SpecialNode(std::string_view target) const {
  if (target == "/assets/style.css") {
    DemoNode node = LeafNode(target, DemoNode::Body::kCss);
    node.decoys = true;
    node.links = {{DemoLinkForm::kCssImport, "/assets/colours.css"},
                  {DemoLinkForm::kCssUrl, "/assets/logo.png"},
                  {DemoLinkForm::kCssUrl, "/assets/line%20back.png"}};
    return node;
  }
  if (target == "/assets/colours.css") {
    DemoNode node = LeafNode(target, DemoNode::Body::kCss);
    node.links = {{DemoLinkForm::kCssImport, "/assets/style.css"},
                  {DemoLinkForm::kCssUrl, "/assets/swatch.png"}};
    return node;
  }
  if (target == "/assets/app.js") return LeafNode(target, DemoNode::Body::kScript);
  for (const std::string_view name : {"logo", "line%20back", "swatch"}) {
    if (target == absl::StrCat("/assets/", name, ".png")) {
      return LeafNode(target, DemoNode::Body::kPng);
    }
  }
  for (const std::string_view suffix : {"-1x.png", "-2x.png", "-back.png", "-rule.png"}) {
    const auto id = NumberBetween(target, "/img/", suffix);
    if (id && *id < pages_) return LeafNode(target, DemoNode::Body::kPng);
  }
  for (const std::string_view prefix : {"/hidden/", "/unfollowed/", "/never/"}) {
    if (NumberBetween(target, prefix, ".html")) return LeafNode(target, DemoNode::Body::kHtml);
  }
  if (NumberBetween(target, "/private/from-", ".html")) {
    DemoNode node = LeafNode(target, DemoNode::Body::kHtml);
    node.fate = DemoNode::Fate::kForbidden;
    return node;
  }
  if (auto node = RedirectSeriesNode(target)) return node;
  if (auto node = CalendarNode(target)) return node;
  if (auto node = MazeNode(target)) return node;
  return SpiralNode(target);
}

std::vector<std::string> DemoGraph::Expected(bool follow_rel_nofollow) const {
  struct Step {
    std::string target;
    int redirects;
  };
  absl::flat_hash_set<std::string> visited;
  std::deque<Step> queue;
  const auto reach = [&](const std::string& target, int redirects) {
    const std::optional<DemoNode> node = Find(target);
    if (node && node->fate != DemoNode::Fate::kVisited) return;
    if (visited.insert(target).second) queue.push_back({target, redirects});
  };
  reach("/", 0);
  while (!queue.empty()) {
    const Step step = std::move(queue.front());
    queue.pop_front();
    const std::optional<DemoNode> node = Find(step.target);
    if (!node) continue;
    if (node->redirect && absl::StartsWith(*node->redirect, "/") &&
        step.redirects < kMaxRedirects) {
      reach(*node->redirect, step.redirects + 1);
    }
    if (node->status != 200 || node->meta_nofollow || node->header_nofollow) continue;
    for (const DemoLink& link : node->links) {
      if (link.form == DemoLinkForm::kRelNofollow && !follow_rel_nofollow) continue;
      reach(link.target, 0);
    }
  }
  std::vector<std::string> targets(visited.begin(), visited.end());
  std::sort(targets.begin(), targets.end());
  return targets;
}

}  // namespace verdant::crawler

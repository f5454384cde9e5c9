#include "apps/crawler/demo_web.h"

#include <zlib.h>

#include <cstddef>
#include <new>
#include <optional>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace verdant::crawler {
namespace {

// The "*" group comes in two parts, which belong together, with other crawlers' groups around.
constexpr std::string_view kRobots =
    "# The demo site's rules\r\n"
    "User-agent: greedybot\r\n"
    "Disallow: /\r\n"
    "\r\n"
    "User-agent: *\r\n"
    "Disallow: /private/\r\n"
    "Allow: /private/open/ # longer, so it wins\r\n"
    "\r\n"
    "User-agent: slowbot\r\n"
    "Crawl-delay: 60\r\n"
    "Disallow: /docs/\r\n"
    "\r\n"
    "user-agent: *\r\n"
    "disallow: /files/*.secret$\r\n"
    "disallow: /calendar/\r\n"
    "allow: /calendar/about.html\r\n"
    "disallow: /*?month=\r\n";

// The smallest PNG: one transparent pixel.
constexpr unsigned char kPng[] = {
    0x89, 'P',  'N',  'G',  '\r', '\n', 0x1A, '\n', 0x00, 0x00, 0x00, 0x0D, 'I',  'H',
    'D',  'R',  0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00,
    0x00, 0x1F, 0x15, 0xC4, 0x89, 0x00, 0x00, 0x00, 0x0D, 'I',  'D',  'A',  'T',  0x78,
    0x9C, 0x63, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00, 0x01, 0x0D, 0x0A, 0x2D, 0xB4, 0x00,
    0x00, 0x00, 0x00, 'I',  'E',  'N',  'D',  0xAE, 0x42, 0x60, 0x82};

std::string Gzip(std::string_view text) {
  z_stream stream = {};
  // 16 above the window bits asks for the gzip wrapper; its time field stays 0.
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string EscapeAttribute(std::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"\"", "&quot;"}});
}

// `target` as a path relative to `base`, a target too.
std::string RelativeReference(std::string_view base, std::string_view target) {
  const std::string_view base_path = base.substr(0, base.find('?'));
  std::string_view directory = base_path.substr(0, base_path.rfind('/') + 1);
  const size_t path_end = target.substr(0, target.find('?')).size();
  size_t common = 0;
  for (size_t i = 0; i < directory.size() && i < path_end && directory[i] == target[i]; ++i) {
    if (directory[i] == '/') common = i + 1;
  }
  std::string reference;
  for (const char c : directory.substr(common)) {
    if (c == '/') reference.append("../");
  }
  absl::StrAppend(&reference, target.substr(common));
  return reference.empty() || reference[0] == '?' ? absl::StrCat("./", reference) : reference;
}

// Writes one page.
class HtmlPage {
 public:
  HtmlPage(const DemoNode& node, std::string_view origin) : node_(node), origin_(origin) {}

  std::string Render() && {
    Head();
    for (size_t i = 0; i < node_.links.size(); ++i) Link(i);
    if (node_.decoys) Decoys();
    absl::StrAppend(&out_, "</body></html>\n");
    return std::move(out_);
  }

 private:
  std::string_view Host() const { return absl::StripPrefix(origin_, "http://"); }

  // A link that no crawler may follow; each has its own number, so that a visit tells which it was.
  std::string Never() { return absl::StrCat("/never/", ++decoys_, ".html"); }

  void Head() {
    absl::StrAppend(&out_, "<!DOCTYPE html>\n<html><head><title>", EscapeAttribute(node_.target));
    if (node_.decoys) absl::StrAppend(&out_, " <a href=\"", Never(), "\">not a link</a>");
    absl::StrAppend(&out_, "</title>\n<meta charset=\"utf-8\">\n");
    if (node_.base) {
      absl::StrAppend(&out_, "<base href=\"", *node_.base, "\">\n<base href=\"/never/\">\n");
    }
    if (node_.meta_nofollow) absl::StrAppend(&out_, "<meta name=robots content=\"nofollow\">\n");
    if (node_.noindex)
      absl::StrAppend(&out_, "<META NAME=\"ROBOTS\" CONTENT=\"NOINDEX, max-snippet:0\">\n");
    if (node_.other_agents_nofollow) {
      absl::StrAppend(&out_, "<meta name=\"slowbot\" content=\"none\">\n");
    }
    absl::StrAppend(&out_, "</head><body>\n");
  }

  void Anchor(std::string_view reference, std::string_view text) {
    absl::StrAppend(&out_, "<p><a href=\"", EscapeAttribute(reference), "\">", text, "</a></p>\n");
  }

  void Element(std::string_view before, std::string_view reference, std::string_view after) {
    absl::StrAppend(&out_, before, EscapeAttribute(reference), after, "\n");
  }

  void Link(size_t index) {
    const DemoLink& link = node_.links[index];
    const std::string& target = link.target;
    switch (link.form) {
      case DemoLinkForm::kAbsolutePath:
        return Anchor(target, "path");
      case DemoLinkForm::kRelativePath:
        return Anchor(RelativeReference(node_.base.value_or(node_.target), target), "relative");
      case DemoLinkForm::kAbsoluteUrl:
        return Element("<A class=x HREF='HTTP://", absl::StrCat(Host(), target),
                       "' title='a > b'>URL</A>");
      case DemoLinkForm::kSchemeRelative:
        return Anchor(absl::StrCat("//", Host(), target), "scheme-relative");
      case DemoLinkForm::kFragments:
        Anchor(absl::StrCat(target, "#one"), "fragment");
        return Anchor(absl::StrCat(target, "#two/../?x"), "fragment");
      case DemoLinkForm::kUnquoted:
        return Element("<a id=u href=", target, ">unquoted</a>");
      case DemoLinkForm::kEntities:
        absl::StrAppend(
            &out_, "<a href=\"",
            absl::StrReplaceAll(
                target, {{"/", "&#x2F;"}, {"&", "&amp;"}, {"p", "&#112"}, {"?", "&quest;"}}),
            "\">entities</a>\n");
        return;
      case DemoLinkForm::kSpaces:
        return Anchor(absl::StrCat(" \t", target, "\n "), "spaces");
      case DemoLinkForm::kDotSegments:
        return Anchor(absl::StrCat("/./up/../%2e", target), "dots");
      case DemoLinkForm::kDecoded:
        return Anchor(absl::StrReplaceAll(target, {{"%C3%A9", "\xC3\xA9"}, {"%20", " "}}),
                      "decoded");
      case DemoLinkForm::kArea:
        return Element("<map name=m><area shape=default href=\"", target, "\"></map>");
      case DemoLinkForm::kIframe:
        return Element("<iframe src=\"", target,
                       absl::StrCat("\"><a href=\"", Never(), "\"></a></iframe>"));
      case DemoLinkForm::kLinkNext:
        return Element("<link rel=\"next\" href=\"", target, "\">");
      case DemoLinkForm::kMetaRefresh:
        return Element("<meta http-equiv=\"Refresh\" content=\"3600; URL='", target, "'\">");
      case DemoLinkForm::kStylesheet:
        return Element("<link rel=stylesheet href=\"", target, "\"/>");
      case DemoLinkForm::kScript:
        return Element("<script defer src=\"", target, "\"></script>");
      case DemoLinkForm::kImage:
        return Element("<img alt='a\"b' src=\"", target, "\">");
      case DemoLinkForm::kSrcset:
        absl::StrAppend(&out_, "<img srcset=\"", EscapeAttribute(target), " 1x");
        while (++index < node_.links.size() &&
               node_.links[index].form == DemoLinkForm::kSrcsetNext) {
          absl::StrAppend(&out_, ",\n  ", EscapeAttribute(node_.links[index].target), " 2x");
        }
        absl::StrAppend(&out_, "\">\n");
        return;
      case DemoLinkForm::kSrcsetNext:
        return;
      case DemoLinkForm::kStyleAttribute:
        return Element("<p style=\"color: red; background: URL( &quot;", target,
                       "&quot; )\">style</p>");
      case DemoLinkForm::kStyleElement:
        absl::StrAppend(&out_, "<style>hr { border-image: url(",
                        RelativeReference(node_.base.value_or(node_.target), target),
                        ") 30; }</style>\n");
        return;
      case DemoLinkForm::kCssUrl:
      case DemoLinkForm::kCssImport:
        throw std::logic_error("DemoWeb: a stylesheet's link on a page");
      case DemoLinkForm::kTop:
        return Anchor("#top", "top");
      case DemoLinkForm::kRelNofollow:
        return Element("<a rel=\"noopener NoFollow\" href=\"", target, "\">unfollowed</a>");
    }
  }

  void Decoys() {
    const auto link = [this] { return absl::StrCat("<a href=\"", Never(), "\">x</a>"); };
    absl::StrAppend(&out_, "<!-- ", link(), " -->\n");
    absl::StrAppend(&out_, "<script>document.write('", link(), "'); // <!-- <script> ", link(),
                    " </script> ", link(), " --></script>\n");
    absl::StrAppend(&out_, "<style>a::after { content: '", link(), "' }</style>\n");
    absl::StrAppend(&out_, "<textarea>", link(), "</textarea>\n");
    absl::StrAppend(&out_, "<p data-note='", link(), "' onclick='go(\"", Never(),
                    "\")'>&lt;a href=\"", Never(), "\"&gt;</p>\n");
    absl::StrAppend(&out_,
                    "<a href=\"http://outside.invalid/x\">out</a> <a href=\"mailto:a@b\">m</a> "
                    "<a href=\"javascript:go('",
                    Never(),
                    "')\">js</a> <a href=\"data:text/html,x\">d</a> "
                    "<a href=\"http://[bad/\">bad</a> <a href=\"http://h:99999/\">bad</a> "
                    "<a href=\"\">self</a> <a>none</a>\n");
  }

  const DemoNode& node_;
  const std::string_view origin_;
  std::string out_;
  int decoys_ = 0;
};

// Writes one stylesheet.
std::string Css(const DemoNode& node) {
  std::string out;
  for (const DemoLink& link : node.links) {
    const std::string reference = RelativeReference(node.target, link.target);
    if (link.form == DemoLinkForm::kCssImport) {
      absl::StrAppend(&out, "@import '", reference, "' screen;\n");
    } else {
      // Letters may be escaped in CSS, and spaces left as they are in quotes.
      absl::StrAppend(&out, ".x::before { background: u\\72l( \"",
                      absl::StrReplaceAll(reference, {{"%20", " "}}), "\" ) }\n");
    }
  }
  if (node.decoys) {
    absl::StrAppend(&out,
                    "/* url(/never/1.html) @import '/never/2.html'; */\n"
                    "a::after { content: \"url(/never/3.html) @import '/never/4.html'\" }\n"
                    "b { background: url(data:image/png;base64,AAAA), url(#shape), url() }\n");
  }
  return out;
}

std::string_view ContentType(DemoNode::Body body) {
  switch (body) {
    case DemoNode::Body::kHtml:
      return "text/html; charset=utf-8";
    case DemoNode::Body::kText:
      return "text/plain; charset=utf-8";
    case DemoNode::Body::kCss:
      return "text/css";
    case DemoNode::Body::kScript:
      return "text/javascript";
    case DemoNode::Body::kPng:
      return "image/png";
  }
  return "application/octet-stream";
}

std::string Body(const DemoNode& node, std::string_view origin) {
  switch (node.body) {
    case DemoNode::Body::kHtml:
      return HtmlPage(node, origin).Render();
    case DemoNode::Body::kText:
      return "Plain text: <a href=\"/never/0.html\">not a link</a>\n";
    case DemoNode::Body::kCss:
      return Css(node);
    case DemoNode::Body::kScript:
      return "const html = '<a href=\"/never/0.html\">not a link</a>';\n";
    case DemoNode::Body::kPng:
      return std::string(reinterpret_cast<const char*>(kPng), sizeof(kPng));
  }
  return "";
}

DemoNode MissingNode(std::string_view target) {
  DemoNode node;
  node.target = std::string(target);
  node.status = 404;
  return node;
}

}  // namespace

DemoResponse DemoWeb::Respond(std::string_view target, std::string_view origin,
                              bool accept_gzip) const {
  DemoResponse response;
  if (target == "/robots.txt") {
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = kRobots;
    return response;
  }
  const std::optional<DemoNode> found = graph_.Find(target);
  const DemoNode node = found ? *found : MissingNode("unknown");
  response.status = node.status;
  response.delay_ms = node.delay_ms;
  response.headers.emplace_back("Content-Type", ContentType(node.body));
  if (node.redirect) {
    const bool spell_origin = node.entropy % 2 == 0 && absl::StartsWith(*node.redirect, "/");
    response.headers.emplace_back("Location",
                                  absl::StrCat(spell_origin ? origin : "", *node.redirect));
  }
  if (node.header_nofollow) response.headers.emplace_back("X-Robots-Tag", "noarchive, nofollow");
  if (node.other_agents_nofollow) response.headers.emplace_back("X-Robots-Tag", "slowbot: none");
  response.body = Body(node, origin);
  if (node.gzip && accept_gzip) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = Gzip(response.body);
  }
  return response;
}

}  // namespace verdant::crawler

#include "apps/crawler/links.h"

#include <exception>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "apps/crawler/css_links.h"
#include "apps/crawler/link_attributes.h"
#include "apps/crawler/meta_refresh.h"
#include "apps/crawler/plain_markup.h"
#include "apps/crawler/srcset.h"
#include "lexbor/html/tokenizer.h"
#include "lexbor/html/tokenizer/state.h"

namespace verdant::crawler {
namespace {

// The tokenizer keeps parse errors, and every attribute of the element it is in, until we clear
// them, and looks names up in chained tables that do not grow. Small steps with a look at these in
// between keep a hostile page from making any of them large.
constexpr size_t kStepBytes = 2048;
constexpr size_t kMaxOpenAttributes = 256;
constexpr size_t kMaxKnownNames = 256;
constexpr size_t kMaxKeptBufferBytes = 256 * 1024;
constexpr size_t kValueChunkBytes = 16 * 1024;

}  // namespace

class LinkExtractor::Impl {
 public:
  Impl(std::string_view product_token, const LinkLimits& limits)
      : product_token_(product_token), limits_(limits) {
    Create();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { Destroy(); }

  void Feed(std::string_view chunk) {
    while (!chunk.empty() && !stopped_) {
      if (tokenizer_->state == &lxb_html_tokenizer_state_data_before) {
        chunk.remove_prefix(SkipPlainMarkup(chunk));
        if (chunk.empty()) return;
      }
      // Up to where the tokenizer may be between tags again.
      std::string_view step = chunk.substr(0, kStepBytes);
      if (const size_t close = step.find('>'); close != step.npos) step = step.substr(0, close + 1);
      chunk.remove_prefix(step.size());
      Check(lxb_html_tokenizer_chunk(tokenizer_, reinterpret_cast<const lxb_char_t*>(step.data()),
                                     step.size()));
      lexbor_array_obj_clean(tokenizer_->parse_errors);
      if (tokenizer_->dobj_token_attr->allocated > kMaxOpenAttributes) ForgetOpenAttributes();
    }
  }

  PageLinks Finish() {
    if (!stopped_) Check(lxb_html_tokenizer_end(tokenizer_));
    if (in_style_) EndStyle();
    PageLinks page = std::move(page_);
    Rewind();
    return page;
  }

 private:
  void Create() {
    tokenizer_ = lxb_html_tokenizer_create();
    values_ = lexbor_mraw_create();
    if (tokenizer_ == nullptr || values_ == nullptr ||
        lxb_html_tokenizer_init(tokenizer_) != LXB_STATUS_OK ||
        lexbor_mraw_init(values_, kValueChunkBytes) != LXB_STATUS_OK) {
      Destroy();
      throw std::bad_alloc();
    }
    lxb_html_tokenizer_attrs_mraw_set(tokenizer_, values_);
    // Its own search for repeated attributes takes quadratic time; LinkAttributes does it for us.
    lxb_html_tokenizer_keep_duplicate_set(tokenizer_, true);
    lxb_html_tokenizer_callback_token_done_set(tokenizer_, &Impl::OnToken, this);
    if (lxb_html_tokenizer_begin(tokenizer_) != LXB_STATUS_OK) {
      Destroy();
      throw std::bad_alloc();
    }
  }

  void Destroy() {
    lxb_html_tokenizer_destroy(tokenizer_);
    lexbor_mraw_destroy(values_, true);
    tokenizer_ = nullptr;
    values_ = nullptr;
  }

  // Makes ready for the next document.
  void Rewind() {
    page_ = PageLinks();
    foreign_depth_ = 0;
    in_style_ = false;
    stopped_ = false;
    if (static_cast<size_t>(tokenizer_->end - tokenizer_->start) > kMaxKeptBufferBytes) {
      Destroy();
      Create();
      return;
    }
    lxb_html_tokenizer_clean(tokenizer_);
    lexbor_mraw_clean(values_);
    lexbor_hash_clean(tokenizer_->tags);
    lexbor_hash_clean(tokenizer_->attrs);
    if (lxb_html_tokenizer_begin(tokenizer_) != LXB_STATUS_OK) throw std::bad_alloc();
  }

  void Check(lxb_status_t status) {
    if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
    // Nothing else fails in the tokenizer: any input is some document.
    if (status != LXB_STATUS_OK && !stopped_) throw std::bad_alloc();
  }

  static lxb_html_token_t* OnToken(lxb_html_tokenizer_t* /*tokenizer*/, lxb_html_token_t* token,
                                   void* context) {
    auto* self = static_cast<Impl*>(context);
    // Carried across the tokenizer's C frames; Check throws it again.
    try {
      self->Token(token);
    } catch (...) {
      self->error_ = std::current_exception();
      return nullptr;
    }
    return self->stopped_ ? nullptr : token;
  }

  void Token(lxb_html_token_t* token) {
    if ((token->type & LXB_HTML_TOKEN_TYPE_CLOSE) != 0) {
      if (IsForeignRoot(token->tag_id) && foreign_depth_ > 0) --foreign_depth_;
      if (in_style_ && token->tag_id == LXB_TAG_STYLE) EndStyle();
    } else if (in_style_ && token->tag_id == LXB_TAG__TEXT) {
      Css().Feed(std::string_view(reinterpret_cast<const char*>(token->text_start),
                                  static_cast<size_t>(token->text_end - token->text_start)));
    } else if (token->tag_id != LXB_TAG__TEXT && token->tag_id != LXB_TAG__EM_COMMENT) {
      StartTag(*token);
    }
    if (token->attr_first != nullptr) {
      lexbor_mraw_clean(values_);
      lexbor_dobject_clean(tokenizer_->dobj_token_attr);
    }
    ForgetNames(tokenizer_->attrs);
    ForgetNames(tokenizer_->tags);
  }

  static bool IsForeignRoot(lxb_tag_id_t tag) { return tag == LXB_TAG_SVG || tag == LXB_TAG_MATH; }

  static void ForgetNames(lexbor_hash_t* names) {
    if (names->entries->allocated > kMaxKnownNames) lexbor_hash_clean(names);
  }

  // In the middle of a tag: drops all of its attributes but the one now being read.
  void ForgetOpenAttributes() {
    lxb_html_token_t* token = tokenizer_->token;
    lxb_html_token_attr_t* last = token->attr_last;
    while (token->attr_first != last) {
      lxb_html_token_attr_t* attribute = token->attr_first;
      if (attribute->value != nullptr) lexbor_mraw_free(values_, attribute->value);
      lxb_html_token_attr_delete(token, attribute, tokenizer_->dobj_token_attr);
    }
    if (last != nullptr && last->name != nullptr &&
        last->name->attr_id >= static_cast<uintptr_t>(LXB_DOM_ATTR__LAST_ENTRY)) {
      last->name = nullptr;  // lives in the table that is now emptied
    }
    lexbor_hash_clean(tokenizer_->attrs);
  }

  LinkAttributes Collect(const lxb_html_token_t& token) const {
    LinkAttributes attributes;
    for (lxb_html_token_attr_t* attribute = token.attr_first; attribute != nullptr;
         attribute = attribute->next) {
      if (attribute->name == nullptr) continue;
      size_t length = 0;
      const lxb_char_t* name = lxb_html_token_attr_name(attribute, &length);
      LinkAttributes::Value* slot =
          attributes.Slot(std::string_view(reinterpret_cast<const char*>(name), length));
      if (slot == nullptr || slot->has_value()) continue;
      const std::string_view value =
          attribute->value == nullptr
              ? std::string_view()
              : std::string_view(reinterpret_cast<const char*>(attribute->value),
                                 attribute->value_size);
      *slot = value.size() <= limits_.max_attribute_bytes ? value : std::string_view();
    }
    return attributes;
  }

  void StartTag(const lxb_html_token_t& token) {
    const bool self_closed = (token.type & LXB_HTML_TOKEN_TYPE_CLOSE_SELF) != 0;
    if (IsForeignRoot(token.tag_id) && !self_closed) ++foreign_depth_;
    if (token.attr_first != nullptr) {
      Links(token);
      StyleAttribute(token);
    }
    // The tree builder's part: which elements hold text. "<script/>" ends at once only in SVG.
    if (foreign_depth_ == 0 || !self_closed) {
      lxb_html_tokenizer_set_state_by_tag(tokenizer_, /*scripting=*/false, token.tag_id,
                                          LXB_NS_HTML);
      if (token.tag_id == LXB_TAG_STYLE) in_style_ = true;
    }
  }

  CssLinkExtractor& Css() {
    if (!css_) {
      css_.emplace(
          CssLimits{.max_links = limits_.max_links, .max_url_bytes = limits_.max_url_bytes});
    }
    return *css_;
  }

  void StyleAttribute(const lxb_html_token_t& token) {
    for (lxb_html_token_attr_t* attribute = token.attr_first; attribute != nullptr;
         attribute = attribute->next) {
      if (attribute->name == nullptr || attribute->name->attr_id != LXB_DOM_ATTR_STYLE) continue;
      if (attribute->value == nullptr || attribute->value_size > limits_.max_attribute_bytes)
        return;
      const std::string_view css(reinterpret_cast<const char*>(attribute->value),
                                 attribute->value_size);
      if (!MayHoldCssLinks(css)) return;
      Css().Feed(css);
      return AddCss();
    }
  }

  void EndStyle() {
    in_style_ = false;
    AddCss();
  }

  void AddCss() {
    for (const CssLink& link : Css().Finish().links) {
      Add(LinkElement::kStyle, link.import ? LinkAttribute::kImport : LinkAttribute::kUrl, link.url,
          {});
    }
  }

  void Links(const lxb_html_token_t& token) {
    using Element = LinkElement;
    using Attribute = LinkAttribute;
    switch (token.tag_id) {
      case LXB_TAG_A: {
        LinkAttributes found = Collect(token);
        if (!found.href) found.href = found.xlink_href;
        return Add(Element::kA, Attribute::kHref, found.href, found);
      }
      case LXB_TAG_AREA: {
        const LinkAttributes found = Collect(token);
        return Add(Element::kArea, Attribute::kHref, found.href, found);
      }
      case LXB_TAG_LINK: {
        const LinkAttributes found = Collect(token);
        Add(Element::kLink, Attribute::kHref, found.href, found);
        return AddSet(Element::kLink, Attribute::kImagesrcset, found.imagesrcset, found);
      }
      case LXB_TAG_IMG:
      case LXB_TAG_IMAGE: {
        const LinkAttributes found = Collect(token);
        Add(Element::kImg, Attribute::kSrc, found.src, found);
        return AddSet(Element::kImg, Attribute::kSrcset, found.srcset, found);
      }
      case LXB_TAG_SOURCE: {
        const LinkAttributes found = Collect(token);
        Add(Element::kSource, Attribute::kSrc, found.src, found);
        return AddSet(Element::kSource, Attribute::kSrcset, found.srcset, found);
      }
      case LXB_TAG_VIDEO: {
        const LinkAttributes found = Collect(token);
        Add(Element::kVideo, Attribute::kSrc, found.src, found);
        return Add(Element::kVideo, Attribute::kPoster, found.poster, found);
      }
      case LXB_TAG_OBJECT: {
        const LinkAttributes found = Collect(token);
        return Add(Element::kObject, Attribute::kData, found.data, found);
      }
      case LXB_TAG_AUDIO:
        return AddSrc(Element::kAudio, token);
      case LXB_TAG_EMBED:
        return AddSrc(Element::kEmbed, token);
      case LXB_TAG_FRAME:
        return AddSrc(Element::kFrame, token);
      case LXB_TAG_IFRAME:
        return AddSrc(Element::kIframe, token);
      case LXB_TAG_INPUT:
        return AddSrc(Element::kInput, token);
      case LXB_TAG_SCRIPT:
        return AddSrc(Element::kScript, token);
      case LXB_TAG_TRACK:
        return AddSrc(Element::kTrack, token);
      case LXB_TAG_BASE: {
        const LinkAttributes found = Collect(token);
        if (found.href && !page_.base) page_.base.emplace(StripHtmlSpace(*found.href));
        return;
      }
      case LXB_TAG_META:
        return Meta(Collect(token));
      default:
        return;
    }
  }

  void Meta(const LinkAttributes& found) {
    if (!found.content) return;
    if (found.name) {
      AddMetaRobots(*found.name, *found.content, product_token_, &page_.directives);
    }
    if (found.http_equiv && absl::EqualsIgnoreCase(*found.http_equiv, "refresh")) {
      if (const auto refresh = ParseMetaRefresh(*found.content)) {
        Add(LinkElement::kMeta, LinkAttribute::kContent, refresh->url, found);
      }
    }
  }

  void AddSrc(LinkElement element, const lxb_html_token_t& token) {
    const LinkAttributes found = Collect(token);
    Add(element, LinkAttribute::kSrc, found.src, found);
  }

  void AddSet(LinkElement element, LinkAttribute attribute, const LinkAttributes::Value& srcset,
              const LinkAttributes& found) {
    if (!srcset) return;
    for (const std::string_view url : ParseSrcset(*srcset)) Add(element, attribute, url, found);
  }

  void Add(LinkElement element, LinkAttribute attribute, const LinkAttributes::Value& value,
           const LinkAttributes& found) {
    if (!value || stopped_) return;
    const std::string_view url = StripHtmlSpace(*value);
    if (url.empty() || url.size() > limits_.max_url_bytes || HasForeignScheme(url)) return;
    if (page_.links.size() >= limits_.max_links) {
      page_.truncated = true;
      stopped_ = true;
      return;
    }
    Link& link = page_.links.emplace_back();
    link.element = element;
    link.attribute = attribute;
    link.url = std::string(url);
    if (found.rel) {
      link.nofollow = HasWord(*found.rel, "nofollow");
      link.hint = element == LinkElement::kLink &&
                  (HasWord(*found.rel, "preconnect") || HasWord(*found.rel, "dns-prefetch"));
    }
  }

  const std::string product_token_;
  const LinkLimits limits_;
  lxb_html_tokenizer_t* tokenizer_ = nullptr;
  lexbor_mraw_t* values_ = nullptr;  // attribute values of the tag being read
  PageLinks page_;
  int foreign_depth_ = 0;  // open <svg> and <math>
  bool in_style_ = false;
  std::optional<CssLinkExtractor> css_;
  bool stopped_ = false;
  std::exception_ptr error_;
};

LinkExtractor::LinkExtractor(std::string_view product_token, const LinkLimits& limits)
    : impl_(std::make_unique<Impl>(product_token, limits)) {}
LinkExtractor::~LinkExtractor() = default;
LinkExtractor::LinkExtractor(LinkExtractor&&) noexcept = default;
LinkExtractor& LinkExtractor::operator=(LinkExtractor&&) noexcept = default;

void LinkExtractor::Feed(std::string_view chunk) { impl_->Feed(chunk); }

PageLinks LinkExtractor::Finish() { return impl_->Finish(); }

}  // namespace verdant::crawler

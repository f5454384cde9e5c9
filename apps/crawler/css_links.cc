#include "apps/crawler/css_links.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "lexbor/css/syntax/token.h"
#include "lexbor/css/syntax/tokenizer.h"

namespace verdant::crawler {
namespace {

// Text is gathered up to this before it is tokenized, and kept for reuse up to this.
constexpr size_t kStepBytes = 16 * 1024;
constexpr size_t kMaxKeptBufferBytes = 256 * 1024;

// A token that ends closer than this to the end of what has come might go on: "-" as "-->", "1e" as
// "1e+5". One that ends earlier is as it will be.
constexpr size_t kLookaheadBytes = 8;

bool IsCssSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

std::string_view StripCssSpace(std::string_view text) {
  while (!text.empty() && IsCssSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsCssSpace(text.back())) text.remove_suffix(1);
  return text;
}

// The decoded text of an identifier, function name, at-keyword, string or URL.
std::string_view TextOf(const lxb_css_syntax_token_t& token) {
  const lxb_css_syntax_token_string_t& text = token.types.string;
  return std::string_view(reinterpret_cast<const char*>(text.data), text.length);
}

}  // namespace

class CssLinkExtractor::Impl {
 public:
  explicit Impl(const CssLimits& limits) : limits_(limits) { Create(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { lxb_css_syntax_tokenizer_destroy(tokenizer_); }

  void Feed(std::string_view chunk) {
    while (!chunk.empty() && !css_.truncated) {
      // A token that has not ended is read again from its start; doing so only when the text has
      // doubled keeps the time linear.
      const size_t step = std::min(chunk.size(), wanted_ - buffer_.size());
      buffer_.append(chunk.substr(0, step));
      chunk.remove_prefix(step);
      if (buffer_.size() < wanted_) return;
      buffer_.erase(0, Tokenize(/*last=*/false));
      if (buffer_.size() > limits_.max_token_bytes) css_.truncated = true;
      wanted_ = std::max(kStepBytes, buffer_.size() * 2);
    }
  }

  CssLinks Finish() {
    if (!css_.truncated) Tokenize(/*last=*/true);
    CssLinks css = std::exchange(css_, {});
    state_ = State::kNone;
    wanted_ = kStepBytes;
    buffer_.clear();
    if (buffer_.capacity() > kMaxKeptBufferBytes) {
      buffer_.shrink_to_fit();
      lxb_css_syntax_tokenizer_destroy(std::exchange(tokenizer_, nullptr));
      Create();
    }
    return css;
  }

 private:
  enum class State {
    kNone,
    kImport,     // after "@import": the next string or url() is its target
    kImportUrl,  // after "@import url(": a string
    kUrl,        // after "url(": a string
    kNamespace,  // between "@namespace" and its end
  };

  void Create() {
    tokenizer_ = lxb_css_syntax_tokenizer_create();
    if (tokenizer_ == nullptr || lxb_css_syntax_tokenizer_init(tokenizer_) != LXB_STATUS_OK) {
      lxb_css_syntax_tokenizer_destroy(std::exchange(tokenizer_, nullptr));
      throw std::bad_alloc();
    }
    // Else a comment cut in two would be passed over, its rest read as text.
    tokenizer_->with_comment = true;
  }

  // Reads what the buffer holds and returns how much of it is done with.
  size_t Tokenize(bool last) {
    lxb_css_syntax_tokenizer_clean(tokenizer_);
    lxb_css_syntax_tokenizer_buffer_set(
        tokenizer_, reinterpret_cast<const lxb_char_t*>(buffer_.data()), buffer_.size());
    while (!css_.truncated) {
      const lxb_char_t* begin = tokenizer_->in_p;
      const lxb_css_syntax_token_t* token = lxb_css_syntax_token(tokenizer_);
      if (token == nullptr) throw std::bad_alloc();  // any text is some sequence of tokens
      const auto left = static_cast<size_t>(tokenizer_->in_end - tokenizer_->in_p);
      if (token->type == LXB_CSS_SYNTAX_TOKEN__EOF || (!last && left < kLookaheadBytes)) {
        return static_cast<size_t>(begin - tokenizer_->in_begin);
      }
      Token(*token);
      lxb_css_syntax_token_consume(tokenizer_);
      lexbor_array_obj_clean(tokenizer_->parse_errors);
    }
    return buffer_.size();
  }

  void Token(const lxb_css_syntax_token_t& token) {
    switch (token.type) {
      case LXB_CSS_SYNTAX_TOKEN_COMMENT:
      case LXB_CSS_SYNTAX_TOKEN_WHITESPACE:
        return;
      case LXB_CSS_SYNTAX_TOKEN_AT_KEYWORD:
        state_ = absl::EqualsIgnoreCase(TextOf(token), "import")      ? State::kImport
                 : absl::EqualsIgnoreCase(TextOf(token), "namespace") ? State::kNamespace
                                                                      : State::kNone;
        return;
      case LXB_CSS_SYNTAX_TOKEN_URL:
        if (state_ == State::kNamespace) return;
        Add(TextOf(token), state_ == State::kImport);
        break;
      case LXB_CSS_SYNTAX_TOKEN_FUNCTION:
        if (state_ == State::kNamespace) return;
        if (absl::EqualsIgnoreCase(TextOf(token), "url")) {
          state_ = state_ == State::kImport ? State::kImportUrl : State::kUrl;
          return;
        }
        break;
      case LXB_CSS_SYNTAX_TOKEN_STRING:
        if (state_ == State::kNamespace) return;
        if (state_ != State::kNone) Add(TextOf(token), state_ != State::kUrl);
        break;
      case LXB_CSS_SYNTAX_TOKEN_SEMICOLON:
      case LXB_CSS_SYNTAX_TOKEN_LC_BRACKET:
        break;
      default:
        if (state_ == State::kNamespace) return;
        break;
    }
    state_ = State::kNone;
  }

  void Add(std::string_view text, bool import) {
    const std::string_view url = StripCssSpace(text);
    if (url.empty() || url.front() == '#' || url.size() > limits_.max_url_bytes) return;
    if (absl::StartsWithIgnoreCase(url, "data:")) return;
    if (css_.links.size() >= limits_.max_links) {
      css_.truncated = true;
      return;
    }
    css_.links.push_back({import, std::string(url)});
  }

  const CssLimits limits_;
  lxb_css_syntax_tokenizer_t* tokenizer_ = nullptr;
  std::string buffer_;  // from the start of the first token not done with
  size_t wanted_ = kStepBytes;
  State state_ = State::kNone;
  CssLinks css_;
};

CssLinkExtractor::CssLinkExtractor(const CssLimits& limits)
    : impl_(std::make_unique<Impl>(limits)) {}
CssLinkExtractor::~CssLinkExtractor() = default;
CssLinkExtractor::CssLinkExtractor(CssLinkExtractor&&) noexcept = default;
CssLinkExtractor& CssLinkExtractor::operator=(CssLinkExtractor&&) noexcept = default;

void CssLinkExtractor::Feed(std::string_view chunk) { impl_->Feed(chunk); }

CssLinks CssLinkExtractor::Finish() { return impl_->Finish(); }

bool MayHoldCssLinks(std::string_view css) {
  for (size_t i = 0; i < css.size(); ++i) {
    if (css[i] == '\\') return true;  // may spell any of it
    if (css[i] == '(' && absl::EndsWithIgnoreCase(css.substr(0, i), "url")) return true;
    if (css[i] == '@' && absl::StartsWithIgnoreCase(css.substr(i), "@import")) return true;
  }
  return false;
}

}  // namespace verdant::crawler

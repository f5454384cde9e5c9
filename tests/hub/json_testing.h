#ifndef VERDANT_TESTS_HUB_JSON_TESTING_H_
#define VERDANT_TESTS_HUB_JSON_TESTING_H_

#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace verdant::testing {

// A JSON value. A number is kept as it was written.
struct Json {
  struct Number {
    std::string text;
  };
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json>;
  std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> value = nullptr;

  const Object& object() const { return std::get<Object>(value); }
  const Array& array() const { return std::get<Array>(value); }
  const std::string& text() const { return std::get<std::string>(value); }
  double number() const { return std::strtod(std::get<Number>(value).text.c_str(), nullptr); }
  bool has(const std::string& key) const { return object().count(key) != 0; }
  const Json& operator[](const std::string& key) const { return object().at(key); }
};

// RFC 8259 and nothing besides: throws std::runtime_error for anything else, such as a control
// byte in a string, a number that begins with a zero, a key that comes twice.
class JsonParser {
 public:
  static Json Parse(std::string_view text) {
    JsonParser parser(text);
    Json json = parser.Value();
    parser.Space();
    if (parser.at_ != text.size()) parser.Fail("text behind the value");
    return json;
  }

 private:
  explicit JsonParser(std::string_view text) : text_(text) {}

  [[noreturn]] void Fail(const std::string& what) const {
    throw std::runtime_error("JSON, at byte " + std::to_string(at_) + ": " + what);
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char Next() {
    if (at_ == text_.size()) Fail("it ends too early");
    return text_[at_++];
  }
  void Expect(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) Fail("no " + std::string(word));
    at_ += word.size();
  }
  void Space() {
    while (Peek() == ' ' || Peek() == '\n' || Peek() == '\r' || Peek() == '\t') ++at_;
  }

  Json Value() {
    Space();
    switch (Peek()) {
      case '{':
        return {ObjectValue()};
      case '[':
        return {ArrayValue()};
      case '"':
        return {StringValue()};
      case 't':
        Expect("true");
        return {true};
      case 'f':
        Expect("false");
        return {false};
      case 'n':
        Expect("null");
        return {nullptr};
      default:
        return {NumberValue()};
    }
  }
  Json::Object ObjectValue() {
    Json::Object object;
    Expect("{");
    Space();
    if (Peek() == '}') return ++at_, object;
    for (;;) {
      Space();
      std::string key = StringValue();
      Space();
      Expect(":");
      if (!object.emplace(std::move(key), Value()).second) Fail("the same key again");
      Space();
      if (Peek() == '}') return ++at_, object;
      Expect(",");
    }
  }
  Json::Array ArrayValue() {
    Json::Array array;
    Expect("[");
    Space();
    if (Peek() == ']') return ++at_, array;
    for (;;) {
      array.push_back(Value());
      Space();
      if (Peek() == ']') return ++at_, array;
      Expect(",");
    }
  }
  std::string StringValue() {
    std::string value;
    Expect("\"");
    for (;;) {
      const char c = Next();
      if (c == '"') return value;
      if (static_cast<unsigned char>(c) < 0x20) Fail("a control byte in a string");
      value += c == '\\' ? Escape() : std::string(1, c);
    }
  }
  std::string Escape() {
    switch (const char c = Next()) {
      case '"':
      case '\\':
      case '/':
        return std::string(1, c);
      case 'b':
        return "\b";
      case 'f':
        return "\f";
      case 'n':
        return "\n";
      case 'r':
        return "\r";
      case 't':
        return "\t";
      case 'u':
        return Utf8(HexDigits());
      default:
        Fail("an unknown escape");
    }
  }
  unsigned HexDigits() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const std::string digit(1, Next());
      const std::size_t value = std::string("0123456789abcdef").find(digit);
      if (value == std::string::npos) Fail("no hexadecimal digit");
      code = code * 16 + static_cast<unsigned>(value);
    }
    return code;
  }
  static std::string Utf8(unsigned code) {
    std::string text;
    if (code < 0x80) return text += static_cast<char>(code);
    if (code < 0x800) {
      text += static_cast<char>(0xc0 | code >> 6);
    } else {
      text += static_cast<char>(0xe0 | code >> 12);
      text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    }
    return text += static_cast<char>(0x80 | (code & 0x3f));
  }
  bool Digit() const { return Peek() >= '0' && Peek() <= '9'; }
  void Digits() {
    if (!Digit()) Fail("no digit");
    while (Digit()) ++at_;
  }
  Json::Number NumberValue() {
    const std::size_t begin = at_;
    if (Peek() == '-') ++at_;
    if (Peek() == '0') {
      ++at_;
    } else {
      Digits();
    }
    if (Peek() == '.') ++at_, Digits();
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '-' || Peek() == '+') ++at_;
      Digits();
    }
    return {std::string(text_.substr(begin, at_ - begin))};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_HUB_JSON_TESTING_H_

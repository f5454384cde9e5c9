#ifndef VERDANT_APPS_CRAWLER_JSON_LINE_H_
#define VERDANT_APPS_CRAWLER_JSON_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace verdant::crawler {

// Appends `text` to `out` as a quoted JSON string (RFC 8259) that is safe in a line-oriented file,
// a terminal and a JavaScript literal: control characters (C0, DEL, C1), U+2028 and U+2029 are
// escaped, and every maximal invalid UTF-8 subpart becomes one U+FFFD. The result has no line
// break.
void AppendJsonString(std::string_view text, std::string* out);

// Writes one JSON object as one line, field by field in call order, into a string that the caller
// owns. Keys are not checked for repeats. Not thread-safe.
//
//   std::string out;
//   JsonLine(&out).String("url", url).Int("status", 200).Null("error").End();
class JsonLine {
 public:
  // Appends to `*out`, which must outlive this object; what it held before stays.
  explicit JsonLine(std::string* out);
  JsonLine(const JsonLine&) = delete;
  JsonLine& operator=(const JsonLine&) = delete;

  JsonLine& String(std::string_view key, std::string_view value);
  JsonLine& Int(std::string_view key, int64_t value);
  JsonLine& Bool(std::string_view key, bool value);
  JsonLine& Null(std::string_view key);
  // `value` with exactly `decimals` digits after the point (0 to 17), never in exponent form and in
  // no locale. NaN and the infinities, which JSON lacks, are written as null.
  JsonLine& Fixed(std::string_view key, double value, int decimals);

  // Closes the object and ends the line with '\n'. Call it once, last.
  void End();

 private:
  void Key(std::string_view key);

  std::string* out_;
  bool first_ = true;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_JSON_LINE_H_

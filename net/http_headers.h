#ifndef VERDANT_NET_HTTP_HEADERS_H_
#define VERDANT_NET_HTTP_HEADERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verdant::net {

// RFC 9110, section 5.6.2: what names of methods and fields are made of.
bool IsHttpToken(std::string_view text);
// RFC 9110, section 5.5: visible characters, spaces, tabs and bytes above 127; so neither a line
// break nor a zero byte.
bool IsHttpFieldValue(std::string_view text);
// ASCII letters of either case are the same.
bool HttpNamesEqual(std::string_view a, std::string_view b);
// Without the spaces and tabs around it.
std::string_view TrimHttpSpace(std::string_view text);

// The fields of a message, in order, several of one name included; names are compared without
// regard to case. All the text lies in one string: views that Get() and the iteration give out are
// good until the next change.
class HttpHeaders {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  // Appends a field. Throws std::invalid_argument, and changes nothing, if the name is no token or
  // the value could be read as more than a value (a line break in it: response splitting, row
  // B10.9). Space around the value is dropped.
  void Add(std::string_view name, std::string_view value);
  // The same in place of all fields of that name.
  void Set(std::string_view name, std::string_view value);
  // False if there was none.
  bool Remove(std::string_view name);

  // The first field of that name.
  std::optional<std::string_view> Get(std::string_view name) const;
  // The values of all fields of that name, joined by ", " (row A16.4).
  std::string Joined(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
  bool Has(std::string_view name) const { return Get(name).has_value(); }
  // `token` is an element of the comma-separated list that the fields of that name make up
  // ("Connection", "close").
  bool HasToken(std::string_view name, std::string_view token) const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Field operator[](std::size_t i) const {
    const Entry& entry = entries_[i];
    return {std::string_view(text_).substr(entry.name, entry.name_size),
            std::string_view(text_).substr(entry.value, entry.value_size)};
  }

  class Iterator {
   public:
    Iterator(const HttpHeaders* headers, std::size_t i) : headers_(headers), i_(i) {}
    Field operator*() const { return (*headers_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const HttpHeaders* headers_;
    std::size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, entries_.size()}; }

 private:
  friend class HttpRequestHead;
  friend class HttpRequestParser;
  struct Entry {
    std::uint32_t name;
    std::uint32_t name_size;
    std::uint32_t value;
    std::uint32_t value_size;
  };

  std::string text_;
  std::vector<Entry> entries_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_HTTP_HEADERS_H_

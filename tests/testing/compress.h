#ifndef VERDANT_TESTS_TESTING_COMPRESS_H_
#define VERDANT_TESTS_TESTING_COMPRESS_H_

#include <string>
#include <string_view>

namespace verdant::testing {

// What a server may send under each name of a Content-Encoding. A failure to compress is a failure
// of the test.
std::string Gzip(std::string_view text);
std::string Deflate(std::string_view text);  // in zlib's wrapping, as RFC 9110 has it
std::string Brotli(std::string_view text);
std::string Zstd(std::string_view text);

}  // namespace verdant::testing

#endif  // VERDANT_TESTS_TESTING_COMPRESS_H_

// Every library is the one pinned in third_party/sources.txt, linked in and working together;
// headers and code agree.
#include <set>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "ada.h"
#include "ares.h"
#include "brotli/decode.h"
#include "brotli/encode.h"
#include "curl/curl.h"
#include "gtest/gtest.h"
#include "lexbor/html/html.h"
#include "nghttp2/nghttp2.h"
#include "openssl/crypto.h"
#include "openssl/ssl.h"
#include "re2/re2.h"
#include "zlib.h"
#include "zstd.h"

namespace {

std::set<std::string> Strings(const char* const* list) {
  std::set<std::string> strings;
  for (; *list != nullptr; ++list) strings.insert(*list);
  return strings;
}

TEST(Versions, AbseilIsTheRelease20240722) {
  EXPECT_EQ(absl::StrCat(ABSL_LTS_RELEASE_VERSION, ".", ABSL_LTS_RELEASE_PATCH_LEVEL),
            "20240722.0");
}

TEST(Versions, CurlReportsTheLibrariesItWasBuiltWith) {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  EXPECT_STREQ(info->version, LIBCURL_VERSION);
  EXPECT_STREQ(info->version, "8.22.0");
  EXPECT_STREQ(info->ssl_version, "BoringSSL/32b51305debe");
  EXPECT_STREQ(info->libz_version, "1.3.1");
  EXPECT_STREQ(info->ares, "1.34.8");
  EXPECT_STREQ(info->nghttp2_version, "1.70.0");
  EXPECT_STREQ(info->brotli_version, "brotli/1.1.0");
  EXPECT_STREQ(info->zstd_version, "zstd/1.5.7");
}

TEST(Versions, CurlSpeaksHttpAndWebSocketsAndNothingElse) {
  EXPECT_EQ(Strings(curl_version_info(CURLVERSION_NOW)->protocols),
            (std::set<std::string>{"http", "https", "ws", "wss"}));
}

TEST(Versions, CurlHasTheFeaturesThatTheHttpClientRelysOn) {
  const int wanted = CURL_VERSION_ASYNCHDNS | CURL_VERSION_BROTLI | CURL_VERSION_HTTP2 |
                     CURL_VERSION_IPV6 | CURL_VERSION_LIBZ | CURL_VERSION_SSL |
                     CURL_VERSION_THREADSAFE | CURL_VERSION_UNIX_SOCKETS | CURL_VERSION_ZSTD;
  EXPECT_EQ(curl_version_info(CURLVERSION_NOW)->features & wanted, wanted);
}

TEST(Versions, CurlTrustsTheSystemsCertificates) {
  EXPECT_STREQ(curl_version_info(CURLVERSION_NOW)->cainfo, "/etc/ssl/certs/ca-certificates.crt");
}

TEST(Versions, TheTlsHeadersAndLibraryAreBoringSsl) {
#ifndef OPENSSL_IS_BORINGSSL
  FAIL() << "openssl/ssl.h is not BoringSSL's";
#endif
  EXPECT_EQ(BORINGSSL_API_VERSION, 19);
  EXPECT_STREQ(SSLeay_version(SSLEAY_VERSION), "BoringSSL");
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  ASSERT_NE(context, nullptr);
  EXPECT_EQ(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION), 1);
  SSL_CTX_free(context);
}

TEST(Versions, CAresIsThreadSafe) {
  EXPECT_STREQ(ares_version(nullptr), ARES_VERSION_STR);
  EXPECT_STREQ(ares_version(nullptr), "1.34.8");
  EXPECT_TRUE(ares_threadsafety());
}

TEST(Versions, Nghttp2MatchesItsHeader) {
  EXPECT_EQ(nghttp2_version(0)->version_num, NGHTTP2_VERSION_NUM);
  EXPECT_STREQ(nghttp2_version(0)->version_str, NGHTTP2_VERSION);
}

TEST(Versions, ZlibMatchesItsHeader) {
  EXPECT_STREQ(zlibVersion(), ZLIB_VERSION);
  EXPECT_STREQ(zlibVersion(), "1.3.1");
}

TEST(Versions, BrotliDecodesWhatItEncoded) {
  EXPECT_EQ(BrotliDecoderVersion(), 0x1001000u);
  EXPECT_EQ(BrotliEncoderVersion(), 0x1001000u);
  const std::string text(1000, 'v');
  std::vector<uint8_t> packed(BrotliEncoderMaxCompressedSize(text.size()));
  size_t packed_size = packed.size();
  ASSERT_TRUE(BrotliEncoderCompress(BROTLI_DEFAULT_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT,
                                    text.size(), reinterpret_cast<const uint8_t*>(text.data()),
                                    &packed_size, packed.data()));
  std::string unpacked(text.size(), '\0');
  size_t unpacked_size = unpacked.size();
  ASSERT_EQ(BrotliDecoderDecompress(packed_size, packed.data(), &unpacked_size,
                                    reinterpret_cast<uint8_t*>(unpacked.data())),
            BROTLI_DECODER_RESULT_SUCCESS);
  EXPECT_EQ(unpacked, text);
}

TEST(Versions, ZstdDecodesWhatItEncoded) {
  EXPECT_STREQ(ZSTD_versionString(), "1.5.7");
  const std::string text(1000, 'v');
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t packed_size =
      ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3);
  ASSERT_FALSE(ZSTD_isError(packed_size));
  std::string unpacked(text.size(), '\0');
  ASSERT_EQ(ZSTD_decompress(unpacked.data(), unpacked.size(), packed.data(), packed_size),
            text.size());
  EXPECT_EQ(unpacked, text);
}

TEST(Versions, LexborParsesHtml) {
  lxb_html_document_t* document = lxb_html_document_create();
  const std::string html = "<title>a &amp; b</title>";
  ASSERT_EQ(lxb_html_document_parse(document, reinterpret_cast<const lxb_char_t*>(html.data()),
                                    html.size()),
            static_cast<lxb_status_t>(LXB_STATUS_OK));
  size_t length = 0;
  const lxb_char_t* title = lxb_html_document_title(document, &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(title), length), "a & b");
  lxb_html_document_destroy(document);
}

TEST(Versions, AdaParsesUrlsAsTheWhatwgStandardSays) {
  EXPECT_STREQ(ADA_VERSION, "2.9.2");
  auto url = ada::parse<ada::url_aggregator>("HTTP://Bücher.example:80/a/../b?q#f");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->get_href(), "http://xn--bcher-kva.example/b?q#f");
}

TEST(Versions, Re2Matches) { EXPECT_TRUE(RE2::FullMatch("verdant", "v.*t")); }

}  // namespace

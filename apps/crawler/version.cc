#include "apps/crawler/version.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ada.h"
#include "curl/curl.h"
#include "lexbor/core/base.h"
#include "zstd.h"

namespace verdant::crawler {
namespace {

std::string_view OrUnknown(const char* text) { return text != nullptr ? text : "not linked"; }

}  // namespace

std::string VersionText() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  std::string text = absl::StrCat("crawler ", kVersion, "\n");
  const auto add = [&text](std::string_view name, std::string_view version) {
    absl::StrAppend(&text, "  ", name, " ", version, "\n");
  };
  add("libcurl", OrUnknown(info->version));
  add("BoringSSL", absl::StripPrefix(OrUnknown(info->ssl_version), "BoringSSL/"));
  add("c-ares", OrUnknown(info->ares));
  add("nghttp2", OrUnknown(info->nghttp2_version));
  add("zlib", OrUnknown(info->libz_version));
  add("brotli", absl::StripPrefix(OrUnknown(info->brotli_version), "brotli/"));
  add("zstd", ZSTD_versionString());
  add("lexbor", LEXBOR_VERSION_STRING);
  add("ada", ADA_VERSION);
  return text;
}

}  // namespace verdant::crawler

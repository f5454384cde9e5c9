#include "green/ssl_context.h"

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/green/ssl_testing.h"

namespace verdant::green {
namespace {

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  FILE* file = fopen(path.c_str(), "we");
  EXPECT_NE(file, nullptr);
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
  return path;
}

void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& text) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_NE(status.message().find(text), std::string::npos) << status;
}

TEST(TlsContext, TakesCertificatesFromFilesAndFromMemory) {
  const TestCertificate certificate = MakeTestCertificate("x", nullptr, {});
  const std::string certificate_file = WriteFile("cert.pem", certificate.certificate);
  const std::string key_file = WriteFile("key.pem", certificate.key);
  const std::string both = certificate.key + certificate.certificate;
  EXPECT_TRUE(
      TlsContext::Server({.certificate_file = certificate_file, .key_file = key_file}).ok());
  EXPECT_TRUE(
      TlsContext::Server({.certificate_file = certificate_file, .key_pem = certificate.key}).ok());
  EXPECT_TRUE(TlsContext::Server({.certificate_file = WriteFile("both.pem", both)}).ok());
  EXPECT_TRUE(TlsContext::Server({.certificate_pem = both}).ok());
  EXPECT_TRUE(TlsContext::Client({.ca_file = certificate_file}).ok());
  EXPECT_TRUE(TlsContext::Client({.ca_pem = "a comment\n" + certificate.certificate}).ok());
  setenv("SSL_CERT_FILE", certificate_file.c_str(), 1);
  EXPECT_TRUE(TlsContext::Client().ok());
  setenv("SSL_CERT_FILE", "/nonexistent", 1);
  ExpectError(TlsContext::Client().status(), absl::StatusCode::kNotFound, "opening /nonexistent");
  unsetenv("SSL_CERT_FILE");
}

TEST(TlsContext, WhatMakesNoSenseIsRefusedNamingTheFile) {
  const TestCertificate a = MakeTestCertificate("a", nullptr, {});
  const TestCertificate b = MakeTestCertificate("b", nullptr, {});
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  ExpectError(TlsContext::Server({.certificate_file = "/nonexistent/cert.pem"}).status(),
              absl::StatusCode::kNotFound,
              "certificate: opening /nonexistent/cert.pem: No such file");
  ExpectError(TlsContext::Server({.certificate_pem = a.certificate, .key_file = "/nonexistent/key"})
                  .status(),
              absl::StatusCode::kNotFound, "private key: opening /nonexistent/key");
  const std::string empty = WriteFile("empty.pem", "");
  ExpectError(TlsContext::Server({.certificate_file = empty}).status(), kInvalid,
              "certificate " + empty + ": no certificate in PEM");
  ExpectError(TlsContext::Server({.certificate_pem = a.key}).status(), kInvalid,
              "no certificate in PEM");
  ExpectError(TlsContext::Server({.certificate_pem = a.certificate}).status(), kInvalid,
              "no private key in PEM");
  ExpectError(TlsContext::Server({.certificate_pem = a.certificate, .key_pem = b.key}).status(),
              kInvalid, "the private key given does not belong to the certificate given");
  std::string damaged = a.certificate + b.certificate;
  damaged.replace(a.certificate.size() + 60, 4, "!!!!");
  ExpectError(TlsContext::Client({.ca_pem = damaged}).status(), kInvalid,
              "certificate 2 is malformed");
  ExpectError(TlsContext::Client({.ca_pem = "nothing"}).status(), kInvalid,
              "no certificate in PEM");
  ExpectError(TlsContext::Client({.ca_pem = a.certificate, .alpn = {""}}).status(), kInvalid,
              "ALPN");
  ExpectError(
      TlsContext::Client({.ca_pem = a.certificate, .alpn = {std::string(256, 'x')}}).status(),
      kInvalid, "ALPN: a protocol's name of 256 bytes");
}

TEST(TlsContext, AnEncryptedKeyIsRefusedAndNobodyAskedForItsPassword) {
  const TestCertificate certificate = MakeTestCertificate("x", nullptr, {});
  const std::string encrypted =
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
      "-----END RSA PRIVATE KEY-----\n";
  ExpectError(TlsContext::Server({.certificate_pem = certificate.certificate, .key_pem = encrypted})
                  .status(),
              absl::StatusCode::kInvalidArgument, "encrypted");
}

}  // namespace
}  // namespace verdant::green

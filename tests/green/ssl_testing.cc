#include "tests/green/ssl_testing.h"

#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_join.h"
#include "openssl/bio.h"
#include "openssl/bn.h"
#include "openssl/ec_key.h"
#include "openssl/evp.h"
#include "openssl/nid.h"
#include "openssl/pem.h"
#include "openssl/rand.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace verdant::green {
namespace {

// Nothing here fails but for want of memory.
void Check(bool ok) {
  if (!ok) abort();
}

bssl::UniquePtr<EVP_PKEY> NewKey() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  Check(EC_KEY_generate_key(ec.get()) == 1);
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  Check(EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1);
  return key;
}

std::string Text(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  Check(BIO_mem_contents(bio, &data, &size) == 1);
  return std::string(reinterpret_cast<const char*>(data), size);
}

bssl::UniquePtr<BIO> Memory(const std::string& text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void AddExtension(X509* certificate, X509V3_CTX* context, int nid, const std::string& value) {
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, context, nid, value.c_str()));
  Check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

TestCertificate MakeTestCertificate(const std::string& common_name, const TestCertificate* issuer,
                                    const TestCertificateOptions& options) {
  const bssl::UniquePtr<EVP_PKEY> key = NewKey();
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* made = certificate.get();
  Check(X509_set_version(made, X509_VERSION_3) == 1);
  std::uint64_t serial;
  RAND_bytes(reinterpret_cast<std::uint8_t*>(&serial), sizeof(serial));
  Check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1) == 1);
  X509_gmtime_adj(X509_getm_notBefore(made), options.not_before);
  X509_gmtime_adj(X509_getm_notAfter(made), options.not_after);
  Check(X509_NAME_add_entry_by_NID(X509_get_subject_name(made), NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const std::uint8_t*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) == 1);
  Check(X509_set_pubkey(made, key.get()) == 1);

  bssl::UniquePtr<X509> issuer_certificate;
  bssl::UniquePtr<EVP_PKEY> issuer_key;
  if (issuer != nullptr) {
    issuer_certificate.reset(
        PEM_read_bio_X509(Memory(issuer->certificate).get(), nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_bio_PrivateKey(Memory(issuer->key).get(), nullptr, nullptr, nullptr));
  }
  X509* signer = issuer_certificate != nullptr ? issuer_certificate.get() : made;
  Check(X509_set_issuer_name(made, X509_get_subject_name(signer)) == 1);
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, made, nullptr, nullptr, 0);
  AddExtension(made, &context, NID_basic_constraints,
               options.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.names.empty()) {
    AddExtension(made, &context, NID_subject_alt_name, absl::StrJoin(options.names, ","));
  }
  Check(X509_sign(made, issuer_key != nullptr ? issuer_key.get() : key.get(), EVP_sha256()) > 0);

  TestCertificate result;
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(out.get(), made) == 1);
  result.certificate = Text(out.get());
  out.reset(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  result.key = Text(out.get());
  return result;
}

}  // namespace verdant::green

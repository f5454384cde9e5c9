#ifndef VERDANT_TESTS_GREEN_SSL_TESTING_H_
#define VERDANT_TESTS_GREEN_SSL_TESTING_H_

#include <string>
#include <vector>

namespace verdant::green {

// A certificate with its key, both in PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

struct TestCertificateOptions {
  // For the subject alternative names: "DNS:example.test", "IP:127.0.0.1".
  std::vector<std::string> names = {};
  bool is_ca = false;
  // Seconds from now.
  long not_before = -3600;
  long not_after = 3600;
};

// Makes a certificate on P-256, signed by `issuer`, or by itself if that is null.
TestCertificate MakeTestCertificate(const std::string& common_name, const TestCertificate* issuer,
                                    const TestCertificateOptions& options);

}  // namespace verdant::green

#endif  // VERDANT_TESTS_GREEN_SSL_TESTING_H_

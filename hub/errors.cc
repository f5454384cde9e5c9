#include "hub/errors.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace verdant {

bool IsGreenletExit(const std::exception_ptr& error) noexcept {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const GreenletExit&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::string DescribeException(const std::exception_ptr& error) {
  if (!error) return "no exception";
  const auto type_name = [] {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr) return std::string("unknown exception");
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
    return std::string(status == 0 ? name.get() : type->name());
  };
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return type_name() + ": " + e.what();
  } catch (...) {
    return type_name();
  }
}

}  // namespace verdant

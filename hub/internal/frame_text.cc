#include "hub/internal/frame_text.h"

#include <dlfcn.h>
#include <link.h>

#include <string_view>

#include "absl/debugging/symbolize.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace verdant::internal {
namespace {

std::string ObjectAt(std::uintptr_t address) {
  Dl_info info;
  void* extra = nullptr;
  if (dladdr1(reinterpret_cast<void*>(address), &info, &extra, RTLD_DL_LINKMAP) == 0 ||
      info.dli_fname == nullptr || extra == nullptr) {
    return "?";
  }
  const std::string_view path = info.dli_fname;
  const std::string_view file = path.substr(path.find_last_of('/') + 1);
  const auto* object = static_cast<const link_map*>(extra);
  return absl::StrCat(file, "+0x", absl::Hex(address - object->l_addr));
}

}  // namespace

std::string FunctionAt(std::uintptr_t address, bool is_return) {
  char name[512];
  const void* pc = reinterpret_cast<const void*>(address - (is_return ? 1 : 0));
  return absl::Symbolize(pc, name, sizeof(name)) ? name : "";
}

bool IsPlumbing(const std::string& function) {
  for (const char* prefix :
       {"std::", "absl::", "__gnu_cxx::", "__gthread_", "verdant::internal::"}) {
    if (absl::StartsWith(function, prefix)) return true;
  }
  return false;
}

std::string DescribeFrames(std::span<const std::uintptr_t> frames, bool first_is_pc) {
  std::string text;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool is_return = i != 0 || !first_is_pc;
    const std::string function = FunctionAt(frames[i], is_return);
    absl::StrAppend(&text, "    #", i, " ", function.empty() ? "?" : function, " (",
                    ObjectAt(frames[i] - (is_return ? 1 : 0)), ")\n");
  }
  return text;
}

}  // namespace verdant::internal

#ifndef VERDANT_HUB_INTERNAL_FRAME_TEXT_H_
#define VERDANT_HUB_INTERNAL_FRAME_TEXT_H_

#include <cstdint>
#include <span>
#include <string>

namespace verdant::internal {

// The function that holds the code there, or an empty text. `is_return`: the address is where a
// call returns to, which may be the beginning of another function.
std::string FunctionAt(std::uintptr_t address, bool is_return);

// Whether a function's name says that it belongs to this library or to those below it, rather than
// to the program that uses them.
bool IsPlumbing(const std::string& function);

// A line for each, innermost first: its number, the function, and the object with the address that
// addr2line takes for it. `first_is_pc`: all but the first are return addresses.
std::string DescribeFrames(std::span<const std::uintptr_t> frames, bool first_is_pc);

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_FRAME_TEXT_H_

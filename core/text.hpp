#pragma once
#include <string>
#include <string_view>

namespace locum {

/// Bytes of the UTF-8 character that `text` begins with, or 0 if it begins with none: empty, cut short, overlong, a
/// surrogate, or beyond U+10FFFF.
std::size_t utf8_length(std::string_view text);

/// Whether `text` is UTF-8 without control characters: what may be a name.
bool is_printable(std::string_view text);

/// `text` for a message: bytes that are not UTF-8, and control characters other than line ends and tabs, as "\x1b"; of
/// more than `most` bytes the beginning, and how many there are. A file from elsewhere may hold anything, also what a
/// terminal takes for a command.
std::string printable(std::string_view text, std::size_t most = 4000);

}  // namespace locum

#include "text.hpp"

#include <fmt/format.h>

namespace locum {

std::size_t utf8_length(std::string_view text)
{
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
  const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

/// Of an UTF-8 character: also U+0080 to U+009F, the control characters of eight bits.
static bool is_control(std::string_view character)
{
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

bool is_printable(std::string_view text)
{
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0 || is_control(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t most)
{
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const auto length = utf8_length(rest);
    const auto taken = length == 0 ? 1 : length;
    if (text.size() - rest.size() + taken > most) return fmt::format("{}… ({} bytes)", result, text.size());
    const auto character = rest.substr(0, taken);
    const bool layout = character == "\n" || character == "\t";
    if (layout || (length > 0 && !is_control(character))) result += character;
    else
      for (const char byte : character) result += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    rest.remove_prefix(taken);
  }
  return result;
}

}  // namespace locum

#include <locum/core/text.hpp>

#include "support/catch.hpp"

using namespace locum;

TEST_CASE("UTF-8: the characters at the limits of what Unicode allows, and those just beyond", "[core]")
{
  for (const char* good : {"a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(utf8_length(good) == std::string_view(good).size());
  }
  for (const char* bad : {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe2\x82",
                          "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    CAPTURE(bad);
    CHECK(utf8_length(bad) == 0);
  }
}

TEST_CASE("printable: names are text of one line", "[core]")
{
  CHECK(is_printable(""));
  CHECK(is_printable("Temperatur – °C ∇ 𝛼"));
  for (const char* bad : {"a\nb", "\x1b[31m", "\x7f", "\xc2\x9b", "temp\xe9rature"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_printable(bad));
  }
  CHECK(printable("\xc2\x9b\xc3\xa9\xe9") == "\\xc2\\x9b\xc3\xa9\\xe9");
  CHECK(printable("äöü", 4) == "äö… (6 bytes)");
}

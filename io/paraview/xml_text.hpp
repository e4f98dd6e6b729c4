#pragma once
// Internal to locum::io.
#include <string>

namespace locum::io {

/// Text as it may stand in XML, between tags or in an attribute.
inline std::string xml_text(const std::string& text)
{
  std::string escaped;
  for (const char c : text) switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  return escaped;
}

}  // namespace locum::io

#include <locum/core/error.hpp>
#include <locum/io/case_file.hpp>

/// Case files: any text reads as options, or is refused by an error of ours.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    locum::io::parse_toml(text, "case.toml");
  } catch (const locum::Error&) {
  }
  try {
    locum::OptionTable options;
    locum::io::apply_override(options, text);
  } catch (const locum::Error&) {
  }
  return 0;
}

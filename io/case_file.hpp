#pragma once
#include <locum/core/options.hpp>

#include <filesystem>
#include <string>

namespace locum::io {

/// The options in a case file, with the line each was written on. Nested tables become dotted keys:
///     [training]
///     epochs = 5        →  "training.epochs" = 5, written at "case.toml line 2"
/// Values are booleans, whole and real numbers, strings, and lists of numbers or of strings.
/// @throws SystemError  if the file cannot be read.
/// @throws OptionError  as parse_toml() does.
OptionTable read_case_file(const std::filesystem::path& file);

/// The same for text that is already in memory; `name` stands for the file in messages.
/// @throws OptionError  with the line of the first mistake: not TOML, or a value no option has (date, list of lists,
/// …); or if it is larger than 1 MiB, or a key has more than 200 parts.
OptionTable parse_toml(const std::string& text, const std::string& name);

/// Sets one option from the command line: "training.epochs=5". The value is TOML (5, 1e-3, true, [1, 2], "text");
/// what is not, is the string it looks like, so that data.train=/data/darcy.h5 needs no quotes.
/// @throws OptionError  if there is no "=" or no key before it, or if it is a list no option has.
void apply_override(OptionTable& table, const std::string& setting);

}  // namespace locum::io

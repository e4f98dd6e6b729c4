#include "case_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace locum::io {

static const char* const doing = "reading the case";
constexpr std::size_t largest_case = 1 << 20;  // bytes; ours have a thousand

[[noreturn]] static void refuse(const std::string& where, const std::string& found, const std::string& advice)
{
  throw OptionError({.doing = doing,
                     .where = where,
                     .found = found,
                     .expected = "true or false, a number, a string, or a list of numbers or of strings",
                     .advice = advice});
}

static OptionValue list_from(const toml::array& array, const std::string& where)
{
  const auto all = [&](auto&& holds) { return std::all_of(array.begin(), array.end(), holds); };
  const auto as = [&]<class Element>(std::vector<Element> list) {
    for (const toml::node& node : array) list.push_back(*node.value<Element>());
    return list;
  };
  if (all([](const toml::node& node) { return node.is_integer(); })) return as(std::vector<std::int64_t>{});
  if (all([](const toml::node& node) { return node.is_number(); })) return as(std::vector<double>{});
  if (all([](const toml::node& node) { return node.is_string(); })) return as(std::vector<std::string>{});
  if (all([](const toml::node& node) { return node.is_table(); }))
    refuse(where, "a list of tables", "a section of its own for each, [name.first], [name.second]");
  if (all([](const toml::node& node) { return node.is_array(); })) refuse(where, "a list of lists", "one list");
  refuse(where, "a list of values of different kinds", "values of one kind");
}

static OptionValue value_from(const toml::node& node, const std::string& where)
{
  if (const auto* array = node.as_array()) return list_from(*array, where);
  if (node.is_boolean()) return *node.value<bool>();
  if (node.is_integer()) return *node.value<std::int64_t>();
  if (node.is_floating_point()) return *node.value<double>();
  if (node.is_string()) return *node.value<std::string>();
  refuse(where, "a date or time", "quotes around it");
}

/// Calls set(key, node) for every value in a table and the tables within, keys dotted.
template <class Set>
static void walk(const toml::table& table, const std::string& prefix, Set&& set)
{
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* inner = node.as_table()) walk(*inner, key + ".", set);
    else set(key, node);
  }
}

static std::string trimmed(const std::string& text)
{
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

/// The likeliest mistake: text without quotes.
static std::string advice_for(const std::string& line)
{
  const auto equals = line.find('=');
  if (equals == std::string::npos) return "";
  const auto value = trimmed(line.substr(equals + 1, line.find('#') - equals - 1));
  const bool bare = !value.empty() && value.find_first_of("\"'[]{}=") == std::string::npos &&
                    value.find_first_not_of("0123456789+-_.eE") != std::string::npos;
  return bare ? fmt::format("{} = \"{}\"", trimmed(line.substr(0, equals)), value) : "";
}

/// Refuses what would cost the parser its memory or its stack. It bounds lists in lists itself, but makes a table in a
/// table of every dot in a key.
static void refuse_bomb(const std::string& text, const std::string& name)
{
  if (text.size() > largest_case)
    throw OptionError({.doing = doing,
                       .where = name,
                       .found = fmt::format("more than {} bytes", largest_case),
                       .expected = "a case file of some thousand",
                       .advice = "data belong into an HDF5 file"});
  constexpr int most_dots = 200;
  int dots = 0, line = 1;
  for (const char character : text) {
    if (character == '.') ++dots;
    if (std::string_view(",=[]{}\n").find(character) != std::string_view::npos) dots = 0;
    if (character == '\n') ++line;
    if (dots > most_dots)
      throw OptionError({.doing = doing,
                         .where = fmt::format("{} line {}", name, line),
                         .found = fmt::format("more than {} dots in a row", most_dots),
                         .expected = "keys of a few parts, section.option",
                         .advice = ""});
  }
}

OptionTable parse_toml(const std::string& text, const std::string& name)
{
  refuse_bomb(text, name);
  try {
    OptionTable options;
    walk(toml::parse(text, name), "", [&](const std::string& key, const toml::node& node) {
      const auto where = fmt::format("{} line {}", name, node.source().begin.line);
      options.set(key, value_from(node, where + ", " + key), where);
    });
    return options;
  } catch (const toml::parse_error& error) {
    const auto number = error.source().begin.line;
    std::istringstream lines(text);
    std::string line;
    for (toml::source_index i = 0; i < number; ++i) std::getline(lines, line);
    throw OptionError({.doing = doing,
                       .where = fmt::format("{} line {}, `{}`", name, number, trimmed(line)),
                       .found = std::string(error.description()),
                       .expected = "TOML: key = value, or [section]",
                       .advice = advice_for(line)});
  }
}

OptionTable read_case_file(const std::filesystem::path& file)
{
  std::ifstream stream(file);
  std::string text(largest_case + 1, '\0');  // one more than is accepted, and no more: it may be a device
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (!stream.is_open() || stream.bad()) {
    const std::error_code reason(errno, std::generic_category());
    std::error_code none;
    const bool folder = std::filesystem::is_directory(file, none);
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = folder ? "a folder" : reason.message(),
                       .expected = "a case file one may read",
                       .advice = folder ? (file / "case.toml").string() : "`locum list` for the cases there are"});
  }
  return parse_toml(text, file.string());
}

void apply_override(OptionTable& table, const std::string& setting)
{
  const auto equals = setting.find('=');
  const auto key = trimmed(setting.substr(0, equals));
  if (equals == std::string::npos || key.empty())
    throw OptionError({.doing = "reading the command line",
                       .where = "--set",
                       .found = fmt::format("\"{}\"", setting),
                       .expected = "key=value",
                       .advice = key.empty() ? "--set training.epochs=5" : fmt::format("--set {}=…", key)});
  const auto text = trimmed(setting.substr(equals + 1));
  try {
    const toml::table parsed = toml::parse("value = " + text);
    const toml::node& node = *parsed.get("value");
    if (parsed.size() == 1 && !node.is_table() && !node.is_date() && !node.is_time() && !node.is_date_time()) {
      table.set(key, value_from(node, "--set " + key), "--set");
      return;
    }
  } catch (const toml::parse_error&) {
    // Not TOML: a string without quotes.
  }
  table.set(key, text, "--set");
}

}  // namespace locum::io

#include "options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace locum {

void OptionTable::set(const std::string& key, OptionValue value, std::string where)
{
  entries_[key] = {std::move(value), std::move(where)};
}

const OptionEntry* OptionTable::find(const std::string& key) const
{
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

static std::string section_of(const std::string& key)
{
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

static std::string name_in(const std::string& key) { return key.substr(key.rfind('.') + 1); }

namespace {

struct Text {
  std::string operator()(bool b) const { return b ? "true" : "false"; }
  std::string operator()(std::int64_t i) const { return fmt::format("{}", i); }
  std::string operator()(double x) const
  {
    std::string text = fmt::format("{}", x);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";  // TOML tells 1 from 1.0
    return text;
  }
  std::string operator()(const std::string& s) const
  {
    std::string quoted = "\"";
    for (const char c : s) {
      if (c == '"' || c == '\\') quoted += '\\';
      if (c == '\n') quoted += "\\n";
      else quoted += c;
    }
    return quoted + "\"";
  }
  template <class Element>
  std::string list(const std::vector<Element>& elements) const
  {
    std::vector<std::string> texts;
    for (const auto& element : elements) texts.push_back((*this)(element));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
  std::string operator()(const std::vector<std::int64_t>& v) const { return list(v); }
  std::string operator()(const std::vector<double>& v) const { return list(v); }
  std::string operator()(const std::vector<std::string>& v) const { return list(v); }
};

}  // namespace

std::string to_toml(const OptionValue& value) { return std::visit(Text{}, value); }

void refuse_other_options(const std::string& doing, const std::string& where, const std::string& then,
                          const std::string& now)
{
  if (then == now) return;
  const auto [a, b] = std::mismatch(then.begin(), then.end(), now.begin(), now.end());
  const auto line = [](const std::string& text, std::string::const_iterator at) {
    const auto position = static_cast<std::size_t>(at - text.begin());
    const auto begin = position == 0 ? 0 : text.rfind('\n', position - 1) + 1;
    const auto words = text.substr(begin, text.find('\n', position) - begin);
    return words.empty() ? std::string("nothing") : "`" + words + "`";
  };
  throw OptionError({.doing = doing,
                     .where = where,
                     .found = line(then, a) + ", as it was made with",
                     .expected = line(now, b) + ", as the case says now",
                     .advice = "--output DIR for a new run, or set the option back"});
}

std::string OptionReader::to_text(const OptionValue& value) { return locum::to_toml(value); }

void OptionReader::refuse(const std::string& key, const OptionEntry& entry, const std::string& expected,
                          const std::string& advice)
{
  throw OptionError({.doing = "reading the case",
                     .where = fmt::format("{}, {}", entry.where, key),
                     .found = locum::to_toml(entry.value),
                     .expected = expected,
                     .advice = advice});
}

std::map<std::string, std::string> OptionReader::read_foreign(const std::string& section, const std::string& help)
{
  foreign_.push_back(section);
  std::map<std::string, std::string> found;
  for (const auto& [key, entry] : table_.entries()) {
    if (!key.starts_with(section + ".")) continue;
    const auto* text = std::get_if<std::string>(&entry.value);
    found[key.substr(section.size() + 1)] = text ? *text : locum::to_toml(entry.value);
    known_.push_back({key, locum::to_toml(entry.value), help});
  }
  return found;
}

void OptionReader::refuse_unknown() const
{
  for (const auto& [key, entry] : table_.entries()) {
    const auto section = section_of(key);
    const auto is_known = [&](const Known& known) { return known.key == key; };
    if (std::any_of(known_.begin(), known_.end(), is_known)) continue;

    std::vector<std::string> names;  // in the same section
    std::vector<std::string> sections;
    for (const Known& known : known_) {
      if (section_of(known.key) == section) names.push_back(name_in(known.key));
      if (const auto s = section_of(known.key); !s.empty() && (sections.empty() || sections.back() != s))
        sections.push_back(s);
    }
    if (names.empty() && !section.empty()) {
      const auto nearest = nearest_name(section, sections);
      throw OptionError({.doing = "reading the case",
                         .where = entry.where,
                         .found = fmt::format("unknown section [{}]", section),
                         .expected = fmt::format("one of {}", fmt::join(sections, ", ")),
                         .advice = nearest.empty() ? "" : fmt::format("[{}]", nearest)});
    }
    const auto nearest = nearest_name(name_in(key), names);
    throw OptionError({.doing = "reading the case",
                       .where = section.empty() ? entry.where : fmt::format("{}, [{}]", entry.where, section),
                       .found = fmt::format("unknown key \"{}\"", name_in(key)),
                       .expected = names.empty() ? "a section" : fmt::format("one of {}", fmt::join(names, ", ")),
                       .advice = nearest.empty() ? "" : fmt::format("{} = {}", nearest, locum::to_toml(entry.value))});
  }
}

/// A dotted key, parts in quotes where TOML wants them: data.fields."my field".
static std::string toml_key(const std::string& key)
{
  std::string text;
  for (std::size_t begin = 0, end; begin <= key.size(); begin = end + 1) {
    end = std::min(key.find('.', begin), key.size());
    const auto part = key.substr(begin, end - begin);
    const bool bare = !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
      return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-');
    });
    text += (begin == 0 ? "" : ".") + (bare ? part : to_toml(part));
  }
  return text;
}

static std::string toml_line(const std::string& name, const std::string& value, const std::string& help)
{
  const auto line = fmt::format("{} = {}", toml_key(name), value);
  return help.empty() ? line + "\n" : fmt::format("{:<40} # {}\n", line, help);
}

std::string OptionReader::to_toml() const
{
  std::string text;
  std::string section;
  for (const Known& known : known_) {
    if (section_of(known.key) != section) {
      section = section_of(known.key);
      text += fmt::format("\n[{}]\n", toml_key(section));
    }
    text += toml_line(name_in(known.key), known.value, known.help);
  }
  return text;
}

std::string OptionReader::to_toml(const std::string& section) const
{
  std::string text;
  for (const Known& known : known_)
    if (section_of(known.key) == section) text += toml_line(name_in(known.key), known.value, "");
  return text;
}

}  // namespace locum

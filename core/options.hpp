#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "error.hpp"

namespace locum {

/// What a case file can say: the values of TOML that options use.
using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// A value and the place it was written: "case.toml line 14", "--set".
struct OptionEntry {
  OptionValue value;
  std::string where;
};

/// Options as written, by dotted key: "training.epochs". Later entries replace earlier ones.
class OptionTable {
 public:
  void set(const std::string& key, OptionValue value, std::string where);
  const OptionEntry* find(const std::string& key) const;
  const std::map<std::string, OptionEntry>& entries() const noexcept { return entries_; }

 private:
  std::map<std::string, OptionEntry> entries_;
};

/// An enumeration whose values have names in case files, listed by a free function
///     constexpr auto option_names(Activation) { return std::array{std::pair{Activation::gelu, "gelu"}, …}; }
template <class Enum>
concept NamedEnum = std::is_enum_v<Enum> && requires(Enum value)
{
  option_names(value).begin();
};

/// The name of an enumerator in case files.
template <NamedEnum Enum>
std::string name_of(Enum value)
{
  for (const auto& [enumerator, name] : option_names(value))
    if (enumerator == value) return name;
  return "?";
}

/// Reads option structs from a table, and afterwards knows every option there is, its value and its help.
///
/// An option struct has defaults and one template member visit(option) that calls option(name, member, help) for each
/// of its members; case files, --set, --print-config, checkpoints and the reference page all walk that list.
class OptionReader {
 public:
  explicit OptionReader(OptionTable table) : table_(std::move(table)) {}

  /// Fills `options` from section `section` ("model"; "" for the top level), keeping defaults of what is not written.
  /// @throws OptionError  if a value has the wrong type or is none of an enumeration's names.
  template <class Options>
  void read(const std::string& section, Options& options)
  {
    options.visit([&](const std::string& name, auto& member, const std::string& help) {
      read_one(section.empty() ? name : section + "." + name, member, help);
    });
  }

  /// All entries of a section whose keys are not ours to know (PETSc's options), as strings.
  std::map<std::string, std::string> read_foreign(const std::string& section, const std::string& help);

  /// @throws OptionError  naming the first key in the table that nobody read, and the nearest that exists.
  void refuse_unknown() const;

  /// Everything read, as a case file: defaults included, help as comments.
  std::string to_toml() const;
  /// Everything read of one section, without its heading.
  std::string to_toml(const std::string& section) const;

  const OptionTable& table() const noexcept { return table_; }

 private:
  struct Known {
    std::string key, value, help;
  };

  template <class Member>
  void read_one(const std::string& key, Member& member, const std::string& help)
  {
    if (const OptionEntry* entry = table_.find(key)) convert(key, *entry, member);
    known_.push_back({key, to_text(member), help});
  }

  [[noreturn]] static void refuse(const std::string& key, const OptionEntry& entry, const std::string& expected,
                                  const std::string& advice = "");
  template <class Member>
  static void convert(const std::string& key, const OptionEntry& entry, Member& member);
  template <NamedEnum Enum>
  static std::string to_text(Enum value)
  {
    return to_text(name_of(value));
  }
  static std::string to_text(const OptionValue& value);

  OptionTable table_;
  std::vector<Known> known_;
  std::vector<std::string> foreign_;
};

/// A value as TOML spells it.
std::string to_toml(const OptionValue& value);

/// Holds what a file was made with against the options of now; both as to_toml() writes them.
/// @param doing, where  for the message: the task, the file
/// @throws OptionError  naming the first line in which they differ, as it was and as it is.
void refuse_other_options(const std::string& doing, const std::string& where, const std::string& then,
                          const std::string& now);

template <class Member>
void OptionReader::convert(const std::string& key, const OptionEntry& entry, Member& member)
{
  const auto* integer = std::get_if<std::int64_t>(&entry.value);
  if constexpr (NamedEnum<Member>) {
    std::vector<std::string> names;
    const auto* text = std::get_if<std::string>(&entry.value);
    for (const auto& [enumerator, name] : option_names(member)) {
      if (text && *text == name) {
        member = enumerator;
        return;
      }
      names.push_back(name);
    }
    std::string expected = "one of";
    for (const auto& name : names) expected += (name == names.front() ? " \"" : ", \"") + name + "\"";
    const auto nearest = text ? nearest_name(*text, names) : std::string{};
    refuse(key, entry, expected, nearest.empty() ? "" : key.substr(key.rfind('.') + 1) + " = \"" + nearest + "\"");
  } else if constexpr (std::same_as<Member, double>) {
    if (const auto* number = std::get_if<double>(&entry.value)) member = *number;
    else if (integer) member = static_cast<double>(*integer);
    else refuse(key, entry, "a number");
  } else if constexpr (std::same_as<Member, std::vector<double>>) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&entry.value)) member = *numbers;
    else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&entry.value))
      member.assign(integers->begin(), integers->end());
    else refuse(key, entry, "a list of numbers");
  } else {
    if (const auto* value = std::get_if<Member>(&entry.value)) member = *value;
    else if constexpr (std::same_as<Member, bool>) refuse(key, entry, "true or false");
    else if constexpr (std::same_as<Member, std::int64_t>) refuse(key, entry, "a whole number");
    else if constexpr (std::same_as<Member, std::string>) refuse(key, entry, "a string in quotes");
    else if constexpr (std::same_as<Member, std::vector<std::int64_t>>) refuse(key, entry, "a list of whole numbers");
    else {
      const auto* empty = std::get_if<std::vector<std::int64_t>>(&entry.value);  // [] in TOML has no type
      if (empty && empty->empty()) member.clear();
      else refuse(key, entry, "a list of strings");
    }
  }
}

}  // namespace locum

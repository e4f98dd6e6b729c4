#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <locum/core/text.hpp>

#include "hdf5.hpp"
#include "trust.hpp"

namespace locum::io::hdf5 {

static TypeHandle string_type(const Task& task)
{
  TypeHandle type(check(H5Tcopy(H5T_C_S1), task));
  check(H5Tset_size(type.get(), H5T_VARIABLE), task);
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), task);
  return type;
}

/// @param count  of values along the one axis; none for an attribute without axes
static void write_attribute(hid_t object, const std::string& name, hid_t stored, hid_t memory, const void* values,
                            std::optional<hsize_t> count, const Task& task)
{
  const SpaceHandle space(check(count ? H5Screate_simple(1, &*count, nullptr) : H5Screate(H5S_SCALAR), task));
  const AttributeHandle attribute(
      check(H5Acreate2(object, name.c_str(), stored, space.get(), H5P_DEFAULT, H5P_DEFAULT), task));
  if (!count || *count > 0) check(H5Awrite(attribute.get(), memory, values), task);
}

void write_attribute(hid_t object, const std::string& name, const std::string& value, const Task& task)
{
  const TypeHandle type = string_type(task);
  const char* text = value.c_str();
  write_attribute(object, name, type.get(), type.get(), &text, std::nullopt, task);
}

void write_attribute(hid_t object, const std::string& name, std::int64_t value, const Task& task)
{
  write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, std::nullopt, task);
}

void write_attribute(hid_t object, const std::string& name, double value, const Task& task)
{
  write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, std::nullopt, task);
}

void write_attribute(hid_t object, const std::string& name, bool value, const Task& task)
{
  const TypeHandle type = stored_type(torch::kBool, task);
  write_attribute(object, name, type.get(), type.get(), &value, std::nullopt, task);
}

void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& values, const Task& task)
{
  const TypeHandle type = values.empty() ? TypeHandle(check(H5Tcopy(H5T_IEEE_F64LE), task)) : string_type(task);
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  write_attribute(object, name, type.get(), type.get(), texts.data(), texts.size(), task);
}

void write_attribute(hid_t object, const std::string& name, const std::vector<bool>& values, const Task& task)
{
  const TypeHandle type = stored_type(torch::kBool, task);
  const std::vector<std::int8_t> flags(values.begin(), values.end());
  write_attribute(object, name, type.get(), type.get(), flags.data(), flags.size(), task);
}

namespace {

/// An attribute that is there, opened.
struct OpenAttribute {
  AttributeHandle attribute;
  SpaceHandle space;
  TypeHandle type;
  std::size_t count;
};

std::optional<OpenAttribute> open_attribute(hid_t object, const std::string& name, const Task& task)
{
  if (check(H5Aexists(object, name.c_str()), task) == 0) return std::nullopt;
  AttributeHandle attribute(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), task));
  SpaceHandle space(check(H5Aget_space(attribute.get()), task));
  TypeHandle type(check(H5Aget_type(attribute.get()), task));
  const auto count = static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space.get()), task));
  refuse_list(object, count, type.get(),
              {.doing = task.doing, .where = fmt::format("{}, attribute {}", task.where, name)});
  return OpenAttribute{std::move(attribute), std::move(space), std::move(type), count};
}

/// Text of an attribute: what is not UTF-8 is Latin-1, as in the "°C" of many an older file.
std::string in_utf8(std::string_view text)
{
  bool valid = true;
  for (auto rest = text; valid && !rest.empty();) {
    const auto length = utf8_length(rest);
    valid = length > 0;
    rest.remove_prefix(length);
  }
  if (valid) return std::string(text);
  std::string converted;
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (code >= 0x80) converted += static_cast<char>(0xc0 | code >> 6);
    converted += static_cast<char>(code < 0x80 ? code : 0x80 | (code & 0x3f));
  }
  return converted;
}

[[noreturn]] void refuse_attribute(const std::string& name, const std::string& expected, const Task& task)
{
  throw DataError({.doing = task.doing,
                   .where = fmt::format("{}, attribute {}", task.where, name),
                   .found = "values of another kind",
                   .expected = expected,
                   .advice = ""});
}

}  // namespace

std::optional<std::vector<std::string>> read_strings(hid_t object, const std::string& name, const Task& task)
{
  const auto open = open_attribute(object, name, task);
  if (!open) return std::nullopt;
  if (open->count == 0) return std::vector<std::string>{};
  if (H5Tget_class(open->type.get()) != H5T_STRING) refuse_attribute(name, "strings", task);

  std::vector<std::string> values;
  if (check(H5Tis_variable_str(open->type.get()), task) > 0) {
    std::vector<char*> texts(open->count, nullptr);
    const TypeHandle memory(check(H5Tcopy(open->type.get()), task));
    check(H5Aread(open->attribute.get(), memory.get(), texts.data()), task);
    for (const char* text : texts) values.push_back(in_utf8(text ? text : ""));
    check(H5Dvlen_reclaim(memory.get(), open->space.get(), H5P_DEFAULT, texts.data()), task);
  } else {
    const std::size_t size = H5Tget_size(open->type.get());
    std::string texts(size * open->count, '\0');
    check(H5Aread(open->attribute.get(), open->type.get(), texts.data()), task);
    for (std::size_t i = 0; i < open->count; ++i) {
      const char* text = texts.data() + i * size;
      values.push_back(in_utf8({text, ::strnlen(text, size)}));
    }
  }
  return values;
}

std::optional<std::string> read_string(hid_t object, const std::string& name, const Task& task)
{
  const auto values = read_strings(object, name, task);
  if (!values) return std::nullopt;
  if (values->size() != 1) refuse_attribute(name, "one string", task);
  return values->front();
}

std::vector<std::string> attribute_names(hid_t object, const Task& task)
{
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    if (is_printable(name)) static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names), task);
  return names;
}

std::optional<std::vector<double>> read_numbers(hid_t object, const std::string& name, const Task& task)
{
  const auto open = open_attribute(object, name, task);
  if (!open) return std::nullopt;
  std::vector<double> values(open->count);
  if (values.empty()) return values;
  const auto kind = H5Tget_class(open->type.get());
  if (kind == H5T_ENUM) {
    std::vector<std::int64_t> codes(open->count);  // HDF5 converts enumerations to integers only
    check(H5Aread(open->attribute.get(), H5T_NATIVE_INT64, codes.data()), task);
    std::copy(codes.begin(), codes.end(), values.begin());
  } else if (kind == H5T_INTEGER || kind == H5T_FLOAT) {
    check(H5Aread(open->attribute.get(), H5T_NATIVE_DOUBLE, values.data()), task);
  } else {
    refuse_attribute(name, "numbers", task);
  }
  return values;
}

bool is_number(hid_t object, const std::string& name, const Task& task)
{
  const auto open = open_attribute(object, name, task);
  if (!open) return false;
  const auto kind = H5Tget_class(open->type.get());
  return kind == H5T_ENUM || kind == H5T_INTEGER || kind == H5T_FLOAT;
}

bool is_text(hid_t object, const std::string& name, const Task& task)
{
  const auto open = open_attribute(object, name, task);
  return open && H5Tget_class(open->type.get()) == H5T_STRING;
}
}  // namespace locum::io::hdf5

#include "hdf5.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <locum/core/text.hpp>
#include <system_error>

#include "hdf5_trust.hpp"

namespace locum::io::hdf5 {

Quiet::Quiet()
{
  H5Eget_auto2(H5E_DEFAULT, &printer_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Quiet::~Quiet() { H5Eset_auto2(H5E_DEFAULT, printer_, data_); }

Task at(const Task& task, const std::string& path)
{
  const char* separator = task.where.find(":/") == std::string::npos ? ":/" : "/";
  return {.doing = task.doing, .where = task.where + separator + path, .access = task.access};
}

/// The first error HDF5 met is the cause, all others say who called whom.
static std::string innermost_message()
{
  std::string message;
  const auto keep_first = [](unsigned number, const H5E_error2_t* error, void* out) -> herr_t {
    if (number == 0 && error->desc) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &message);
  return message.empty() ? "an error HDF5 does not explain" : message;
}

/// HDF5 locks the files it opens, and gives up where it cannot; its message holds the system's errno.
static void refuse_lock(const std::string& message, const Task& task)
{
  const auto number = message.find("errno = ");
  if (message.find("unable to lock file") == std::string::npos || number == std::string::npos) return;
  constexpr int not_supported = 524;  // the kernel's own ENOTSUPP, which network file systems let out
  const int error = std::atoi(message.c_str() + number + std::strlen("errno = "));
  const bool held = error == EAGAIN || error == EACCES;
  const bool no_locks = error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == not_supported;
  throw SystemError(
      {.doing = task.doing,
       .where = task.where,
       .found = held       ? "a lock: another program has the file open, and one of the two writes it"
                : no_locks ? fmt::format("a file system without locks (errno {}), as NFS and Lustre can be", error)
                           : message,
       .expected = "a file HDF5 can lock",
       .advice = held ? "again when the other program is done; HDF5_USE_FILE_LOCKING=FALSE in the "
                        "environment if you know that nobody writes the file"
                      : "HDF5_USE_FILE_LOCKING=FALSE in the environment, while nobody writes the file"});
}

void fail(const Task& task)
{
  const std::string found = innermost_message();
  refuse_lock(found, task);
  if (task.access == Task::Access::write)
    throw SystemError({.doing = task.doing,
                       .where = task.where,
                       .found = found,
                       .expected = "a file that can be written",
                       .advice = "`df -h` and `ls -ld` of the folder"});
  const bool in_use = found.find("already open for write") != std::string::npos;
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = in_use ? found + ": its writer still runs, or was killed" : found,
                   .expected = "a complete HDF5 file",
                   .advice = in_use ? fmt::format("`h5clear -s {}` if nobody is writing it", task.where)
                                    : "copying or making the file again"});
}

FileHandle open_file(const std::filesystem::path& file, const std::string& doing)
{
  const bool readable = ::access(file.c_str(), R_OK) == 0;
  const int reason = readable ? EISDIR : errno;
  std::error_code error;
  const auto kind = std::filesystem::status(file, error).type();
  if (!readable || kind == std::filesystem::file_type::directory) {
    std::vector<std::string> names;
    for (auto entry = std::filesystem::directory_iterator(file.has_parent_path() ? file.parent_path() : ".", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
      names.push_back(entry->path().filename().string());
    const auto nearest = readable ? std::string{} : nearest_name(file.filename().string(), names);
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = std::generic_category().message(reason),
                       .expected = "an HDF5 file that can be read",
                       .advice = nearest.empty() || nearest == file.filename()
                                     ? fmt::format("`ls -l {}`", file.string())
                                     : (file.parent_path() / nearest).string()});
  }
  if (kind != std::filesystem::file_type::regular)  // opening a pipe waits for somebody to write into it
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = "a pipe or a device",
                       .expected = "a file on a disk",
                       .advice = fmt::format("`ls -l {}`", file.string())});
  const Task task{.doing = doing, .where = file.string()};
  return FileHandle(check(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), task));
}

static PropertyHandle in_memory(std::size_t increment, const Task& task)
{
  PropertyHandle access(check(H5Pcreate(H5P_FILE_ACCESS), task));
  check(H5Pset_fapl_core(access.get(), increment, /*backing_store=*/false), task);
  return access;
}

FileHandle create_in_memory(std::size_t increment, const PropertyHandle& creation, const Task& task)
{
  const auto access = in_memory(increment, task);
  const hid_t properties = creation ? creation.get() : H5P_DEFAULT;
  return FileHandle(check(H5Fcreate("in memory", H5F_ACC_TRUNC, properties, access.get()), task));
}

std::vector<std::byte> image_of(const FileHandle& file, const Task& task)
{
  check(H5Fflush(file.get(), H5F_SCOPE_LOCAL), task);
  std::vector<std::byte> image(static_cast<std::size_t>(check(H5Fget_file_image(file.get(), nullptr, 0), task)));
  check(H5Fget_file_image(file.get(), image.data(), image.size()), task);
  return image;
}

FileHandle open_image(std::span<const std::byte> image, const Task& task)
{
  const auto access = in_memory(1 << 16, task);
  // HDF5 copies the image; its interface asks for a pointer to non-const for the sake of other uses.
  check(H5Pset_file_image(access.get(), const_cast<std::byte*>(image.data()), image.size()), task);
  return FileHandle(check(H5Fopen("in memory", H5F_ACC_RDONLY, access.get()), task));
}

namespace {

/// The links of a group: those that stay in the file and have a name one can write, and how many others.
struct Links {
  std::vector<std::string> names;
  int elsewhere = 0;
  int unprintable = 0;
};

Links links_of(hid_t group, const Task& task)
{
  Links links;
  const auto add = [](hid_t, const char* name, const H5L_info_t* link, void* out) -> herr_t {
    auto& found = *static_cast<Links*>(out);
    if (link->type != H5L_TYPE_HARD && link->type != H5L_TYPE_SOFT) ++found.elsewhere;
    else if (!is_printable(name)) ++found.unprintable;
    else found.names.emplace_back(name);
    return 0;
  };
  check(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &links), task);
  return links;
}

/// The link `name` of a group, if it has one. A path through several groups is no name.
std::optional<H5L_type_t> link_type(hid_t group, const std::string& name, const Task& task)
{
  if (name.empty() || name == "." || name.find('/') != std::string::npos || !is_printable(name)) return std::nullopt;
  if (check(H5Lexists(group, name.c_str(), H5P_DEFAULT), task) == 0) return std::nullopt;
  H5L_info_t link;
  check(H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT), task);
  return link.type;
}

/// Where a link that is no hard link leads, for a message.
std::string target_of(hid_t group, const std::string& name, const Task& task)
{
  H5L_info_t link;
  check(H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT), task);
  std::vector<char> value(std::min<std::size_t>(link.u.val_size, 4096) + 1, '\0');
  check(H5Lget_val(group, name.c_str(), value.data(), value.size() - 1, H5P_DEFAULT), task);
  if (link.type == H5L_TYPE_SOFT) return value.data();
  const char *file = nullptr, *object = nullptr;
  unsigned flags;
  if (link.type != H5L_TYPE_EXTERNAL || link.u.val_size >= value.size() ||
      H5Lunpack_elink_val(value.data(), link.u.val_size, &flags, &file, &object) < 0)
    return "somewhere";
  return fmt::format("{}:{}", file, object);
}

}  // namespace

std::vector<std::string> children(hid_t group, const Task& task) { return links_of(group, task).names; }

bool has_child(hid_t group, const std::string& name, const Task& task)
{
  const auto type = link_type(group, name, task);
  return type == H5L_TYPE_HARD || type == H5L_TYPE_SOFT;
}

/// What a group has instead of what was asked for.
static std::string neighbours(const Links& links)
{
  constexpr std::size_t most = 50;
  std::string text =
      "it beside " +
      (links.names.empty()
           ? "nothing"
           : fmt::format(
                 "{}", fmt::join(links.names.begin(),
                                 links.names.begin() + static_cast<std::ptrdiff_t>(std::min(most, links.names.size())),
                                 ", ")));
  if (links.names.size() > most) text += fmt::format(", … ({} in all)", links.names.size());
  if (links.elsewhere > 0) text += fmt::format(", not counting {} links to other files", links.elsewhere);
  if (links.unprintable > 0) text += fmt::format(", not counting {} names that are not UTF-8 text", links.unprintable);
  return text;
}

ObjectHandle open_child(hid_t group, const std::string& name, const Task& task)
{
  const auto type = link_type(group, name, task);
  const std::string info = fmt::format("`locum info {}`", task.where.substr(0, task.where.find(":/")));
  if (!type)
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = fmt::format("no \"{}\"", name),
                     .expected = neighbours(links_of(group, task)),
                     .advice = info});
  const Task here = at(task, name);
  if (type != H5L_TYPE_HARD && type != H5L_TYPE_SOFT)
    throw DataError({.doing = here.doing,
                     .where = here.where,
                     .found = fmt::format("a link to another file, {}", target_of(group, name, task)),
                     .expected = "a group or an array in this file",
                     .advice = "opening that file"});
  // A soft link may lead to a link to another file after all: that one fails.
  const PropertyHandle access(check(H5Pcreate(H5P_LINK_ACCESS), task));
  const auto refuse = [](const char*, const char*, const char*, const char*, unsigned*, hid_t, void*) -> herr_t {
    return -1;
  };
  check(H5Pset_elink_cb(access.get(), refuse, nullptr), task);
  ObjectHandle object(H5Oopen(group, name.c_str(), access.get()));
  if (!object && type == H5L_TYPE_SOFT) {
    const auto reason = innermost_message();
    throw DataError({.doing = here.doing,
                     .where = here.where,
                     .found = fmt::format("a link to {}: {}", target_of(group, name, task), reason),
                     .expected = "a link to a group or an array in this file",
                     .advice = info});
  }
  check(object.get(), here);
  if (is_dataset(object)) refuse_untrustworthy(object, here);
  return object;
}

bool is_dataset(const ObjectHandle& object) { return H5Iget_type(object.get()) == H5I_DATASET; }

ObjectHandle create_group(hid_t parent, const std::string& path, const Task& task)
{
  const PropertyHandle links(check(H5Pcreate(H5P_LINK_CREATE), task));
  check(H5Pset_create_intermediate_group(links.get(), 1), task);
  check(H5Pset_char_encoding(links.get(), H5T_CSET_UTF8), task);
  return ObjectHandle(check(H5Gcreate2(parent, path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT), at(task, path)));
}

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

std::vector<std::int64_t> shape_of(const ObjectHandle& dataset, const Task& task)
{
  if (!is_dataset(dataset))
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "a group",
                     .expected = "an array of numbers",
                     .advice = fmt::format("`locum info {}`", task.where.substr(0, task.where.find(":/")))});
  const SpaceHandle space(check(H5Dget_space(dataset.get()), task));
  return extents_of(space.get(), task);
}

std::optional<torch::Dtype> type_of(const ObjectHandle& dataset, const Task& task)
{
  const TypeHandle type(check(H5Dget_type(dataset.get()), task));
  const hid_t kind = type.get();
  const bool boolean = H5Tget_class(kind) == H5T_ENUM;  // of whole numbers
  const TypeHandle numbers(check(boolean ? H5Tget_super(kind) : H5Tcopy(kind), task));
  if (!is_usual_number(numbers.get())) return std::nullopt;
  if (H5Tget_class(numbers.get()) == H5T_INTEGER) return torch::kInt64;
  return H5Tget_size(numbers.get()) <= 4 ? torch::kFloat32 : torch::kFloat64;
}

[[noreturn]] static void refuse_values(const Task& task)
{
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = "values that are no numbers, or numbers in a format of their own",
                   .expected = "whole numbers of 1 to 8 bytes, or IEEE floating point",
                   .advice = ""});
}

/// Refuses a part that the dataset does not have, before there is memory for it.
static void require_part(const ObjectHandle& dataset, torch::IntArrayRef start, torch::IntArrayRef count,
                         const Task& task)
{
  const auto shape = shape_of(dataset, task);
  bool inside = start.size() == shape.size() && count.size() == shape.size();
  for (std::size_t i = 0; inside && i < shape.size(); ++i)
    inside = start[i] >= 0 && count[i] >= 0 && start[i] <= shape[i] && count[i] <= shape[i] - start[i];
  if (inside) return;
  throw DataError(
      {.doing = task.doing,
       .where = task.where,
       .found = fmt::format("a request for [{}] values from [{}] on", fmt::join(count, ", "), fmt::join(start, ", ")),
       .expected = fmt::format("some of its [{}]", fmt::join(shape, ", ")),
       .advice = fmt::format("`locum info {}`", task.where.substr(0, task.where.find(":/")))});
}

torch::Tensor read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start,
                   const std::vector<std::int64_t>& count, torch::Dtype type, const Task& task)
{
  require_part(dataset, start, count, task);
  torch::Tensor values = torch::empty(count, type);
  read(dataset, start, values, task);
  return values;
}

void read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start, const torch::Tensor& values,
          const Task& task)
{
  const auto count = values.sizes();
  require_part(dataset, start, count, task);
  if (!type_of(dataset, task)) refuse_values(task);
  if (values.numel() == 0) return;
  const TypeHandle stored(check(H5Dget_type(dataset.get()), task));
  if (H5Tget_class(stored.get()) == H5T_ENUM && values.is_floating_point()) {
    const torch::Tensor codes = torch::empty(count, torch::kInt64);
    read(dataset, start, codes, task);  // HDF5 converts enumerations, as booleans are, to integers only
    values.copy_(codes);
    return;
  }
  const SpaceHandle file(check(H5Dget_space(dataset.get()), task));
  const SpaceHandle memory(check(H5Scopy(file.get()), task));
  if (!start.empty()) {
    const std::vector<hsize_t> first(start.begin(), start.end()), extent(count.begin(), count.end());
    check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, first.data(), nullptr, extent.data(), nullptr), task);
    check(H5Sset_extent_simple(memory.get(), static_cast<int>(extent.size()), extent.data(), nullptr), task);
  }
  check(H5Dread(dataset.get(), memory_type(values.scalar_type(), task), memory.get(), file.get(), H5P_DEFAULT,
                values.data_ptr()),
        task);
}

torch::Tensor read(const ObjectHandle& dataset, const Task& task)
{
  const auto shape = shape_of(dataset, task);
  const auto type = type_of(dataset, task);
  if (!type) refuse_values(task);
  return read(dataset, std::vector<std::int64_t>(shape.size(), 0), shape, *type, task);
}

[[noreturn]] static void refuse_type(torch::Dtype type, const Task& task)
{
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = fmt::format("values of type {}", c10::toString(type)),
                   .expected = "Float, Double or Long",
                   .advice = "converting them first"});
}

TypeHandle stored_type(torch::Dtype type, const Task& task)
{
  if (type == torch::kBool) {
    TypeHandle boolean(check(H5Tenum_create(H5T_STD_I8LE), task));
    for (const auto& [name, value] : {std::pair{"FALSE", std::int8_t{0}}, std::pair{"TRUE", std::int8_t{1}}})
      check(H5Tenum_insert(boolean.get(), name, &value), task);
    return boolean;
  }
  if (type == torch::kFloat32) return TypeHandle(check(H5Tcopy(H5T_IEEE_F32LE), task));
  if (type == torch::kFloat64) return TypeHandle(check(H5Tcopy(H5T_IEEE_F64LE), task));
  if (type == torch::kInt64) return TypeHandle(check(H5Tcopy(H5T_STD_I64LE), task));
  refuse_type(type, task);
}

hid_t memory_type(torch::Dtype type, const Task& task)
{
  if (type == torch::kFloat32) return H5T_NATIVE_FLOAT;
  if (type == torch::kFloat64) return H5T_NATIVE_DOUBLE;
  if (type == torch::kInt64) return H5T_NATIVE_INT64;
  refuse_type(type, task);
}

ObjectHandle create(hid_t parent, const std::string& path, hid_t type, const std::vector<std::int64_t>& shape,
                    const Task& task)
{
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const SpaceHandle space(check(shape.empty()
                                    ? H5Screate(H5S_SCALAR)
                                    : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                                task));
  const PropertyHandle links(check(H5Pcreate(H5P_LINK_CREATE), task));
  check(H5Pset_create_intermediate_group(links.get(), 1), task);
  check(H5Pset_char_encoding(links.get(), H5T_CSET_UTF8), task);
  const PropertyHandle creation(check(H5Pcreate(H5P_DATASET_CREATE), task));
  check(H5Pset_layout(creation.get(), H5D_CONTIGUOUS), task);
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), task);
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), task);
  check(H5Pset_obj_track_times(creation.get(), false), task);
  return ObjectHandle(check(
      H5Dcreate2(parent, path.c_str(), type, space.get(), links.get(), creation.get(), H5P_DEFAULT), at(task, path)));
}

ObjectHandle write(hid_t parent, const std::string& path, const torch::Tensor& values, const Task& task)
{
  const torch::Tensor dense = values.detach().to(torch::kCPU).contiguous();
  const TypeHandle type = stored_type(dense.scalar_type(), at(task, path));
  ObjectHandle dataset = create(parent, path, type.get(), dense.sizes().vec(), task);
  const hid_t memory = dense.scalar_type() == torch::kBool ? type.get() : memory_type(dense.scalar_type(), task);
  if (dense.numel() > 0)
    check(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, dense.data_ptr()), at(task, path));
  return dataset;
}

}  // namespace locum::io::hdf5

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

#include "trust.hpp"

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
}  // namespace locum::io::hdf5

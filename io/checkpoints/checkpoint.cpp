#include "checkpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "../atomic_file.hpp"
#include "../hdf5/hdf5.hpp"
#include "../hdf5/rehearsal.hpp"

namespace locum::io {

namespace {

constexpr std::array<char, 8> magic = {'L', 'O', 'C', 'U', 'M', 'C', 'K', 'P'};
constexpr std::uint32_t format_version = 1;
const char* const reading = "reading the checkpoint";

using Hash = std::array<unsigned char, sizeof(XXH128_canonical_t)>;
using Bytes = std::vector<std::byte>;

/// What follows the HDF5 image, without its last part, the hash of everything before it.
constexpr std::size_t prefix_size = magic.size() + sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t footer_size = prefix_size + sizeof(Hash);
static_assert(std::endian::native == std::endian::little, "the footer's integers are little-endian");

template <class Value>
void append(Bytes& bytes, const Value& value)
{
  const auto* raw = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), raw, raw + sizeof value);
}

template <class Value>
Value take(const std::byte*& position)
{
  Value value;
  std::memcpy(&value, position, sizeof value);
  position += sizeof value;
  return value;
}

Hash hash_of(std::span<const std::byte> bytes)
{
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Hash hash;
  std::memcpy(hash.data(), canonical.digest, hash.size());
  return hash;
}

std::string to_string(const Hash& hash)
{
  std::string text;
  for (const unsigned char byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

/// A text is a string of fixed length: unlike one of variable length it needs no heap, and may be as long as it likes.
void write_text(hid_t file, const std::string& path, const std::string& text, const hdf5::Task& task)
{
  const hdf5::TypeHandle type(hdf5::check(H5Tcopy(H5T_C_S1), task));
  hdf5::check(H5Tset_size(type.get(), std::max<std::size_t>(text.size(), 1)), task);
  hdf5::check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), task);
  hdf5::check(H5Tset_cset(type.get(), H5T_CSET_UTF8), task);
  const auto dataset = hdf5::create(file, path, type.get(), {}, task);
  hdf5::check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.c_str()), task);
}

std::string read_text(const hdf5::ObjectHandle& dataset, hid_t type, const hdf5::Task& task)
{
  if (hdf5::check(H5Tis_variable_str(type), task) > 0 || !hdf5::shape_of(dataset, task).empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "a list of texts, or one of variable length",
                     .expected = "one text of fixed length",
                     .advice = "a checkpoint that locum wrote"});
  std::string text(H5Tget_size(type), '\0');
  hdf5::check(H5Dread(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), task);
  text.resize(::strnlen(text.data(), text.size()));
  return text;
}

Bytes read_bytes(const std::filesystem::path& file, const std::string& doing)
{
  const auto refuse = [&](int reason) -> SystemError {
    return SystemError({.doing = doing,
                        .where = file.string(),
                        .found = std::generic_category().message(reason),
                        .expected = "a checkpoint that can be read",
                        .advice = fmt::format("`ls -l {}`", file.string())});
  };
  const Handle<int, -1, ::close> descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) throw refuse(errno);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) throw refuse(error.value());  // a folder, a device
  Bytes bytes(size);
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::read(descriptor.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw refuse(errno);
    if (count == 0) bytes.resize(done);  // somebody cut it short meanwhile: the footer will tell
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

/// The HDF5 image in a checkpoint's bytes.
std::span<const std::byte> verified_image(std::span<const std::byte> bytes, const std::string& where,
                                          const std::string& doing)
{
  const std::string info = fmt::format("`locum info {}`", where);
  const auto refuse = [&](std::string found, std::string expected, std::string advice) {
    return DataError({.doing = doing,
                      .where = where,
                      .found = std::move(found),
                      .expected = std::move(expected),
                      .advice = std::move(advice)});
  };

  const std::byte* position = bytes.data() + (bytes.size() < footer_size ? 0 : bytes.size() - footer_size);
  if (bytes.size() < footer_size || take<std::array<char, 8>>(position) != magic)
    throw refuse(fmt::format("{} bytes without locum's footer: not a locum checkpoint, or cut short", bytes.size()),
                 "a whole checkpoint", "an older checkpoint, or " + info + " if it is another kind of file");
  const auto version = take<std::uint32_t>(position);
  const auto length = take<std::uint64_t>(position);
  const auto written = take<Hash>(position);
  const Hash found = hash_of(bytes.first(bytes.size() - sizeof(Hash)));
  if (found != written)
    throw refuse("content hash " + to_string(found), to_string(written) + ", as its footer says",
                 "an older checkpoint: this one was damaged");
  if (length != bytes.size() - footer_size)
    throw refuse(fmt::format("{} bytes before the footer", bytes.size() - footer_size),
                 fmt::format("{}, as its footer says", length), "an older checkpoint: this one was damaged");
  if (version > format_version)
    throw refuse(fmt::format("format version {}: written by a newer locum", version),
                 fmt::format("version {} at most", format_version), "the locum that wrote it, or a newer one");
  return bytes.first(length);
}

}  // namespace

void Checkpoint::put(const std::string& path, torch::Tensor values) { entries_[path] = std::move(values); }

void Checkpoint::put(const std::string& path, std::string text) { entries_[path] = std::move(text); }

std::vector<std::string> Checkpoint::names(const std::string& group) const
{
  const std::string prefix = group + "/";
  std::vector<std::string> names;
  for (auto entry = entries_.lower_bound(prefix); entry != entries_.end() && entry->first.starts_with(prefix); ++entry)
    names.push_back(entry->first.substr(prefix.size()));
  return names;
}

const Checkpoint::Entry& Checkpoint::entry(const std::string& path) const
{
  if (const auto found = entries_.find(path); found != entries_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : entries_) known.push_back(name);
  const auto nearest = nearest_name(path, known);
  throw DataError(
      {.doing = "reading the checkpoint",
       .where = where_,
       .found = fmt::format("no \"{}\"", path),
       .expected = fmt::format("it among {} entries", known.size()),
       .advice = nearest.empty() ? fmt::format("`locum info {}`", where_) : fmt::format("\"{}\"", nearest)});
}

/// `entry` as a `Kind`.
template <class Kind, class Entry>
static const Kind& get(const Entry& entry, const std::string& where, const std::string& path,
                       const std::string& expected)
{
  if (const Kind* value = std::get_if<Kind>(&entry)) return *value;
  throw DataError({.doing = "reading the checkpoint",
                   .where = fmt::format("{}:/{}", where, path),
                   .found = expected == "a text" ? "numbers" : "a text",
                   .expected = expected,
                   .advice = ""});
}

const torch::Tensor& Checkpoint::tensor(const std::string& path) const
{
  return get<torch::Tensor>(entry(path), where_, path, "numbers");
}

const std::string& Checkpoint::text(const std::string& path) const
{
  return get<std::string>(entry(path), where_, path, "a text");
}

/// `values` as one number of the kind asked for.
static torch::Scalar one_number(const torch::Tensor& values, bool whole, const std::string& where,
                                const std::string& path)
{
  if (values.dim() == 0 && (!whole || values.scalar_type() == torch::kInt64)) return values.item();
  throw DataError({.doing = "reading the checkpoint",
                   .where = fmt::format("{}:/{}", where, path),
                   .found = fmt::format("{} values {}", c10::toString(values.scalar_type()),
                                        fmt::format("[{}]", fmt::join(values.sizes(), ", "))),
                   .expected = whole ? "one whole number" : "one number",
                   .advice = ""});
}

std::int64_t Checkpoint::integer(const std::string& path) const
{
  return one_number(tensor(path), /*whole=*/true, where_, path).toLong();
}

double Checkpoint::real(const std::string& path) const
{
  return one_number(tensor(path), /*whole=*/false, where_, path).toDouble();
}

void Checkpoint::write(const std::filesystem::path& file) const
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = "writing the checkpoint", .where = file.string(), .access = hdf5::Task::Access::write};

  std::size_t payload = 1 << 16;
  for (const auto& [path, value] : entries_)
    if (const auto* values = std::get_if<torch::Tensor>(&value)) payload += values->nbytes();
  const auto image = hdf5::create_in_memory(payload, {}, task);
  for (const auto& [path, value] : entries_) {
    if (const auto* values = std::get_if<torch::Tensor>(&value)) hdf5::write(image.get(), path, *values, task);
    else write_text(image.get(), path, std::get<std::string>(value), task);
  }

  Bytes bytes = hdf5::image_of(image, task);
  const auto length = static_cast<std::uint64_t>(bytes.size());
  append(bytes, magic);
  append(bytes, format_version);
  append(bytes, length);
  append(bytes, hash_of(bytes));
  write_atomically(file, bytes);
}

namespace {

/// All datasets below a group, with their paths. A checkpoint is a tree: an object of two names, or a group within
/// itself, would be read without end.
class EntryReader {
 public:
  EntryReader(Checkpoint& checkpoint, hdf5::Task task) : checkpoint_(checkpoint), task_(std::move(task)) {}

  void read(hid_t group, const std::string& prefix, int depth)
  {
    constexpr int deepest = 32;
    if (depth > deepest) refuse(prefix, fmt::format("groups in groups, more than {} deep", deepest));
    for (const std::string& name : hdf5::children(group, task_)) {
      const std::string path = prefix + name;
      const auto object = hdf5::open_child(group, name, task_);
      H5G_stat_t identity;
      hdf5::check(H5Gget_objinfo(object.get(), ".", /*follow_link=*/false, &identity), task_);
      if (!known_.insert({identity.objno[0], identity.objno[1]}).second) refuse(path, "an object with two names");
      if (!hdf5::is_dataset(object)) {
        read(object.get(), path + "/", depth + 1);
        continue;
      }
      const auto here = hdf5::at(task_, path);
      const hdf5::TypeHandle type(hdf5::check(H5Dget_type(object.get()), here));
      if (H5Tget_class(type.get()) == H5T_STRING) checkpoint_.put(path, read_text(object, type.get(), here));
      else checkpoint_.put(path, hdf5::read(object, here));
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& path, const std::string& found) const
  {
    throw DataError({.doing = task_.doing,
                     .where = hdf5::at(task_, path).where,
                     .found = found,
                     .expected = "a tree of groups, numbers and texts",
                     .advice = "a checkpoint that locum wrote"});
  }

  Checkpoint& checkpoint_;
  hdf5::Task task_;
  std::set<std::pair<unsigned long, unsigned long>> known_;
};

}  // namespace

Checkpoint Checkpoint::read(const std::filesystem::path& file)
{
  return parse(read_bytes(file, reading), file.string());
}

Checkpoint Checkpoint::parse(std::span<const std::byte> bytes, const std::string& where)
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = reading, .where = where};
  const auto image = verified_image(bytes, where, task.doing);

  const auto read_entries = [&] {
    const auto opened = hdf5::open_image(image, task);
    Checkpoint checkpoint;
    checkpoint.where_ = where;
    EntryReader(checkpoint, task).read(opened.get(), "", 0);
    return checkpoint;
  };
  hdf5::rehearse(task, image.size(), read_entries);
  return read_entries();
}

bool Checkpoint::recognises(const std::filesystem::path& file)
{
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) return false;  // opening a pipe would wait
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 8> found{};
  stream.seekg(-static_cast<std::streamoff>(footer_size), std::ios::end);
  return stream.read(found.data(), found.size()) && found == magic;
}

}  // namespace locum::io

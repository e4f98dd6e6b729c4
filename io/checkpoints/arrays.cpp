#include "arrays.hpp"

#include <fmt/format.h>

#include "../atomic_file.hpp"
#include "../hdf5/hdf5.hpp"
#include "../hdf5/rehearsal.hpp"

namespace locum::io {

Location parse_location(const std::string& text)
{
  const auto colon = text.rfind(":/");
  if (colon == std::string::npos) return {.file = text, .place = "/"};
  return {.file = text.substr(0, colon), .place = text.substr(colon + 1)};
}

/// Opens "/a/b/c" name by name, so that every link on the way is looked at.
static hdf5::ObjectHandle open_place(const hdf5::FileHandle& file, const std::string& place, const hdf5::Task& task)
{
  hdf5::ObjectHandle object(hdf5::check(H5Oopen(file.get(), "/", H5P_DEFAULT), task));
  for (std::size_t begin = 0; begin < place.size();) {
    const auto end = std::min(place.find('/', begin), place.size());
    if (end > begin) object = hdf5::open_child(object.get(), place.substr(begin, end - begin), task);
    begin = end + 1;
  }
  return object;
}

/// What `read` reads, after a rehearsal.
template <class Read>
static auto rehearsed(const Location& location, const hdf5::Task& task, Read&& read)
{
  const hdf5::Quiet quiet;
  std::error_code error;  // that there is no file read() says
  const auto bytes = std::filesystem::file_size(location.file, error);
  hdf5::rehearse(task, error ? 0 : bytes, read);
  return read();
}

torch::Tensor read_array(const Location& location)
{
  const hdf5::Task task{.doing = "reading an array", .where = location.file.string()};
  return rehearsed(location, task, [&] {
    const auto file = hdf5::open_file(location.file, task.doing);
    const auto object = open_place(file, location.place, task);
    const auto here = hdf5::at(task, location.place.substr(std::min<std::size_t>(1, location.place.size())));
    hdf5::shape_of(object, here);
    return hdf5::read(object, here);
  });
}

static void collect(const hdf5::ObjectHandle& group, const std::string& before,
                    std::map<std::string, torch::Tensor>& arrays, const hdf5::Task& task, int depth)
{
  constexpr int deepest = 8;
  for (const std::string& name : hdf5::children(group.get(), task)) {
    const auto child = hdf5::open_child(group.get(), name, task);
    const auto here = hdf5::at(task, before + name);
    if (hdf5::is_dataset(child)) arrays[before + name] = hdf5::read(child, here);
    else if (depth < deepest) collect(child, before + name + "/", arrays, task, depth + 1);
  }
}

std::map<std::string, torch::Tensor> read_arrays(const Location& group)
{
  const hdf5::Task task{.doing = "reading arrays", .where = group.file.string()};
  return rehearsed(group, task, [&] {
    const auto file = hdf5::open_file(group.file, task.doing);
    const auto object = open_place(file, group.place, task);
    std::map<std::string, torch::Tensor> arrays;
    if (hdf5::is_dataset(object)) arrays[group.place.substr(group.place.rfind('/') + 1)] = hdf5::read(object, task);
    else collect(object, "", arrays, task, 0);
    return arrays;
  });
}

void write_array(const std::filesystem::path& file, const std::string& name, const torch::Tensor& values)
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = "writing an array", .where = file.string(), .access = hdf5::Task::Access::write};
  constexpr std::size_t increment = 1 << 20;
  const auto out = hdf5::create_in_memory(increment, hdf5::PropertyHandle(), task);
  hdf5::write(out.get(), name, values.contiguous(), task);
  write_atomically(file, hdf5::image_of(out, task));
}

}  // namespace locum::io

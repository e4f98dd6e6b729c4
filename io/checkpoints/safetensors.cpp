#include "safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>
#include <nlohmann/json.hpp>

#include <cstring>
#include <fstream>

#include "../atomic_file.hpp"

namespace locum::io {

namespace {

using nlohmann::json;

constexpr std::uint64_t longest_header = 100'000'000;  // as the format's own readers have it

struct Type {
  const char* name;
  torch::Dtype stored, kept;
};
constexpr Type types[] = {
    {"F64", torch::kFloat64, torch::kFloat64}, {"F32", torch::kFloat32, torch::kFloat32},
    {"F16", torch::kFloat16, torch::kFloat32}, {"BF16", torch::kBFloat16, torch::kFloat32},
    {"I64", torch::kInt64, torch::kInt64},     {"C64", torch::kComplexFloat, torch::kComplexFloat}};

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& name, const std::string& found,
                         const std::string& expected)
{
  throw DataError({.doing = "reading safetensors",
                   .where = name.empty() ? file.string() : fmt::format("{}, \"{}\"", file.string(), name),
                   .found = found,
                   .expected = expected,
                   .advice = ""});
}

}  // namespace

Safetensors read_safetensors(const std::filesystem::path& file)
{
  std::error_code failure;
  const std::uint64_t size = std::filesystem::file_size(file, failure);
  std::ifstream in(file, std::ios::binary);
  if (failure || !in)
    throw SystemError({.doing = "reading safetensors",
                       .where = file.string(),
                       .found = failure ? failure.message() : "a file that cannot be opened",
                       .expected = "a file",
                       .advice = ""});
  std::uint64_t length = 0;
  if (size < sizeof length || !in.read(reinterpret_cast<char*>(&length), sizeof length))
    refuse(file, "", fmt::format("{} bytes", size), "8 bytes for the length of the header, and more");
  if (length > longest_header || length > size - sizeof length)
    refuse(file, "", fmt::format("a header of {} bytes", length),
           fmt::format("at most {}", std::min(longest_header, size - sizeof length)));
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  const json header = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) refuse(file, "", "a header that is no JSON object", "names and places of tensors");

  const std::uint64_t start = sizeof length + length, room = size - start;
  Safetensors content;
  std::uint64_t used = 0;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items())
        if (value.is_string()) content.metadata[key] = value.get<std::string>();
      continue;
    }
    const auto is_count = [](const json& number) { return number.is_number_unsigned(); };
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
        !entry["shape"].is_array() || !std::all_of(entry["shape"].begin(), entry["shape"].end(), is_count) ||
        !entry.contains("data_offsets") || !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2 ||
        !std::all_of(entry["data_offsets"].begin(), entry["data_offsets"].end(), is_count))
      refuse(file, name, "an entry that is not one of a tensor", "dtype, shape and data_offsets");
    const auto kind = entry["dtype"].get<std::string>();
    const auto type = std::find_if(std::begin(types), std::end(types), [&](const Type& t) { return kind == t.name; });
    if (type == std::end(types)) refuse(file, name, "type " + kind, "F64, F32, F16, BF16, I64 or C64");
    const auto begin = entry["data_offsets"][0].get<std::uint64_t>(),
               end = entry["data_offsets"][1].get<std::uint64_t>();
    if (begin > end || end > room)
      refuse(file, name, fmt::format("bytes {} to {}", begin, end), fmt::format("some of the {} that follow", room));
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = torch::elementSize(type->stored);
    for (const auto& axis : entry["shape"]) {
      const auto extent = axis.get<std::uint64_t>();
      if (extent != 0 && bytes > room / extent) bytes = room + 1;
      else bytes *= extent;
      shape.push_back(static_cast<std::int64_t>(extent));
    }
    if (bytes != end - begin)
      refuse(file, name, fmt::format("{} bytes", end - begin),
             fmt::format("those of {} in shape {}", kind, entry["shape"].dump()));
    used += bytes;
    if (used > room) refuse(file, name, "tensors that share bytes", "each its own");
    torch::Tensor values = torch::empty(shape, type->stored);
    in.seekg(static_cast<std::streamoff>(start + begin));
    if (bytes > 0 && !in.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(bytes)))
      refuse(file, name, "a file that ends before it", "all its bytes");
    content.tensors[name] = values.is_complex() ? torch::view_as_real(values).contiguous() : values.to(type->kept);
  }
  return content;
}

void write_safetensors(const std::filesystem::path& file, const Safetensors& content)
{
  json header = json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::uint64_t place = 0;
  for (const auto& [name, tensor] : content.tensors) {
    const auto type = std::find_if(std::begin(types), std::end(types),
                                   [&, kind = tensor.scalar_type()](const Type& t) { return t.stored == kind; });
    header[name] = {
        {"dtype", type->name}, {"shape", tensor.sizes().vec()}, {"data_offsets", {place, place + tensor.nbytes()}}};
    place += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // numbers begin on a multiple of eight
  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(sizeof length + text.size() + place);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, text.data(), text.size());
  std::byte* next = bytes.data() + sizeof length + text.size();
  for (const auto& [name, tensor] : content.tensors) {
    const torch::Tensor dense = tensor.detach().cpu().contiguous();
    if (dense.nbytes() > 0) std::memcpy(next, dense.data_ptr(), dense.nbytes());
    next += dense.nbytes();
  }
  write_atomically(file, bytes);
}

}  // namespace locum::io

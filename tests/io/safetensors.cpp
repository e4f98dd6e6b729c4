#include <locum/io/checkpoints/arrays.hpp>
#include <locum/io/checkpoints/safetensors.hpp>

#include <cstring>
#include <fstream>
#include <iterator>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

static void write(const std::filesystem::path& file, const std::string& header, const std::string& numbers)
{
  std::ofstream out(file, std::ios::binary);
  const std::uint64_t length = header.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << header << numbers;
}

TEST_CASE("safetensors: what is written is read, and halves and complex numbers too", "[io]")
{
  const tests::TemporaryFolder folder;
  const io::Safetensors content{.tensors = {{"a", torch::arange(6, torch::kFloat32).view({2, 3})},
                                            {"b.weight", torch::full({}, 2.5, torch::kFloat64)},
                                            {"empty", torch::empty({0, 4}, torch::kInt64)}},
                                .metadata = {{"format", "pt"}}};
  io::write_safetensors(folder / "x.safetensors", content);
  const auto again = io::read_safetensors(folder / "x.safetensors");
  CHECK(again.metadata == content.metadata);
  for (const auto& [name, tensor] : content.tensors) CHECK(torch::equal(again.tensors.at(name), tensor));

  const torch::Tensor half = torch::tensor({1.5, -2.0}).to(torch::kBFloat16);
  const torch::Tensor complex = torch::complex(torch::tensor({1.0f}), torch::tensor({-1.0f}));
  std::string numbers(static_cast<const char*>(half.data_ptr()), 4);
  numbers.append(static_cast<const char*>(complex.data_ptr()), 8);
  write(
      folder / "y.safetensors",
      R"({"h":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"c":{"dtype":"C64","shape":[1],"data_offsets":[4,12]}})",
      numbers);
  const auto mixed = io::read_safetensors(folder / "y.safetensors");
  CHECK(torch::equal(mixed.tensors.at("h"), torch::tensor({1.5f, -2.0f})));
  CHECK(torch::equal(mixed.tensors.at("c"), torch::tensor({{1.0f, -1.0f}})));
}

TEST_CASE("safetensors: every lie of a header is refused", "[io][hostile][error]")
{
  const tests::TemporaryFolder folder;
  const auto refused = [&](const std::string& header, const std::string& numbers = "12345678") {
    write(folder / "x.safetensors", header, numbers);
    return message_of([&] { io::read_safetensors(folder / "x.safetensors"); });
  };
  const auto entry = [](const std::string& type, const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  CHECK(says(refused(entry("F32", "[2]", "[0,16]")), {"\"w\"", "bytes 0 to 16", "the 8 that follow"}));
  CHECK(says(refused(entry("F32", "[2]", "[8,0]")), {"bytes 8 to 0"}));
  CHECK(says(refused(entry("F32", "[3]", "[0,8]")), {"8 bytes", "F32 in shape [3]"}));
  CHECK(says(refused(entry("F32", "[4294967296,4294967296,4294967296]", "[0,8]")), {"8 bytes"}));
  CHECK(says(refused(entry("F32", "[-1]", "[0,8]")), {"dtype, shape and data_offsets"}));
  CHECK(says(refused(entry("F4", "[2]", "[0,8]")), {"type F4", "F64, F32"}));
  CHECK(says(refused("[]"), {"no JSON object"}));
  CHECK(says(refused("{"), {"no JSON object"}));
  CHECK(says(
      refused(
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      {"share bytes"}));
  std::ofstream(folder / "x.safetensors", std::ios::binary) << std::string(8, '\xff');
  CHECK(says(message_of([&] { io::read_safetensors(folder / "x.safetensors"); }), {"a header of"}));
  std::ofstream(folder / "x.safetensors", std::ios::binary) << "abc";
  CHECK(says(message_of([&] { io::read_safetensors(folder / "x.safetensors"); }), {"3 bytes"}));
  CHECK(says(message_of([&] { io::read_safetensors(folder / "none"); }), {"none", "No such file"}));
}

TEST_CASE("arrays: one array of a file, all of a group, and back", "[io]")
{
  const tests::TemporaryFolder folder;
  const torch::Tensor values = torch::arange(12, torch::kFloat32).view({3, 4});
  io::write_array(folder / "x.h5", "a", values);
  const auto text = (folder / "x.h5").string();
  CHECK(torch::equal(io::read_array(io::parse_location(text + ":/a")), values));
  CHECK(io::read_arrays(io::parse_location(text)).at("a").sizes() == values.sizes());
  CHECK(says(message_of([&] { io::read_array(io::parse_location(text + ":/b")); }), {"\"b\"", "a"}));
  CHECK(says(message_of([&] { io::read_array(io::parse_location(text)); }), {"a group"}));
}

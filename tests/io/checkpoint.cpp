#include <locum/io/checkpoints/checkpoint.hpp>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include <locum/io/hdf5/hdf5.hpp>

#include "support/catch.hpp"
#include "support/checkpoint_footer.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

constexpr std::size_t footer_size = 8 + 4 + 8 + 16;

io::Checkpoint small_checkpoint()
{
  io::Checkpoint checkpoint;
  checkpoint.put("model/layers.0.weight", torch::arange(12, torch::kFloat32).reshape({3, 4}) / 7);
  checkpoint.put("model/layers.0.bias", torch::tensor({-0.0, 1e-320, std::nan(""), 0.1}, torch::kFloat64));
  checkpoint.put("model/name", "Fourier, width 32, ν ≥ 0");
  checkpoint.put("sampler/order", torch::tensor({std::numeric_limits<std::int64_t>::min(), std::int64_t{3}}));
  checkpoint.put("epoch", 17);
  checkpoint.put("loss", 0.1);
  checkpoint.put("empty/text", "");
  checkpoint.put("empty/values", torch::empty({0, 3}, torch::kFloat32));
  return checkpoint;
}

std::string content_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void replace_content(const std::filesystem::path& file, const std::string& content)
{
  std::ofstream(file, std::ios::binary) << content;
}

bool is_refused(const std::filesystem::path& file)
{
  try {
    io::Checkpoint::read(file);
  } catch (const DataError&) {
    return true;
  }
  return false;
}

bool same_bits(const torch::Tensor& a, const torch::Tensor& b)
{
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 || std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0);
}

}  // namespace

TEST_CASE("checkpoint: what is read is what was written, bit for bit", "[io][restart]")
{
  const tests::TemporaryFolder folder;
  const auto written = small_checkpoint();
  written.write(folder / "a.h5");
  const auto read = io::Checkpoint::read(folder / "a.h5");

  for (const char* path : {"model/layers.0.weight", "model/layers.0.bias", "sampler/order", "empty/values"}) {
    CAPTURE(path);
    CHECK(same_bits(read.tensor(path), written.tensor(path)));
  }
  CHECK(read.text("model/name") == "Fourier, width 32, ν ≥ 0");
  CHECK(read.text("empty/text").empty());
  CHECK(read.integer("epoch") == 17);
  CHECK(read.real("loss") == 0.1);
  CHECK(read.tensor("loss").dim() == 0);
  CHECK(read.names("model") == std::vector<std::string>{"layers.0.bias", "layers.0.weight", "name"});
  CHECK(read.names("mode").empty());
  CHECK(read.has("epoch"));
  CHECK_FALSE(read.has("model"));
}

TEST_CASE("checkpoint: a tensor with other strides or needing gradients is stored as it reads", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto transposed = torch::arange(6, torch::kFloat64).reshape({2, 3}).t();
  io::Checkpoint checkpoint;
  checkpoint.put("transposed", transposed);
  checkpoint.put("parameter", torch::ones({2}).requires_grad_());
  checkpoint.write(folder / "a.h5");
  const auto read = io::Checkpoint::read(folder / "a.h5");
  CHECK(torch::equal(read.tensor("transposed"), transposed));
  CHECK(torch::equal(read.tensor("parameter"), torch::ones({2})));
}

TEST_CASE("checkpoint: equal content is equal bytes, whenever and in whatever order it was put", "[io][restart]")
{
  const tests::TemporaryFolder folder;
  small_checkpoint().write(folder / "a.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 would store times in seconds
  io::Checkpoint again;
  again.put("loss", 0.1);
  const auto first = io::Checkpoint::read(folder / "a.h5");
  for (const char* group : {"sampler", "model", "empty"})
    for (const auto& name : first.names(group)) {
      const std::string path = std::string(group) + "/" + name;
      if (name == "name" || name == "text") again.put(path, first.text(path));
      else again.put(path, first.tensor(path));
    }
  again.put("epoch", 17);
  again.write(folder / "b.h5");
  CHECK(content_of(folder / "a.h5") == content_of(folder / "b.h5"));
}

TEST_CASE("checkpoint: HDF5 opens it as one of its own", "[io]")
{
  const tests::TemporaryFolder folder;
  small_checkpoint().write(folder / "a.h5");
  const io::hdf5::Task task{.doing = "reading", .where = "a.h5"};
  const auto file = io::hdf5::open_file(folder / "a.h5", task.doing);
  const auto group = io::hdf5::open_child(file.get(), "model", task);
  const auto weight = io::hdf5::read(io::hdf5::open_child(group.get(), "layers.0.weight", task), task);
  CHECK(same_bits(weight, small_checkpoint().tensor("model/layers.0.weight")));
}

TEST_CASE("checkpoint: cut short at any length, it is refused", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  small_checkpoint().write(file);
  std::ofstream(file, std::ios::binary | std::ios::app) << 'x';  // one byte more is as bad
  std::vector<std::size_t> accepted;
  const auto whole = std::filesystem::file_size(file) - 1;
  for (auto length = whole + 1; length > 0; --length) {
    std::filesystem::resize_file(file, length);
    if (!is_refused(file)) accepted.push_back(length);
  }
  CHECK(accepted == std::vector<std::size_t>{whole});
}

TEST_CASE("checkpoint: with any one bit changed, it is refused", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  small_checkpoint().write(file);
  const auto whole = content_of(file);
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto replace_byte = [&](std::size_t byte, int value) {
    stream.seekp(static_cast<std::streamoff>(byte)).put(static_cast<char>(value)).flush();
  };
  std::vector<std::size_t> accepted;
  const auto try_bit = [&](std::size_t byte, unsigned bit) {
    replace_byte(byte, whole[byte] ^ (1 << bit));
    if (!is_refused(file)) accepted.push_back(byte);
    replace_byte(byte, whole[byte]);
  };
  for (std::size_t byte = 0; byte < whole.size(); ++byte) try_bit(byte, byte % 8);
  for (std::size_t byte = whole.size() - footer_size; byte < whole.size(); ++byte)
    for (unsigned bit = 0; bit < 8; ++bit) try_bit(byte, bit);
  CHECK(accepted.empty());
  CHECK_FALSE(is_refused(file));
}

TEST_CASE("checkpoint: bad files are named with the reason and the remedy", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "a.h5";
  small_checkpoint().write(file);
  const auto whole = content_of(file);
  const auto message = [&] { return message_of([&] { io::Checkpoint::read(file); }); };

  SECTION("changed content")
  {
    auto changed = whole;
    changed[1000] ^= 1;
    replace_content(file, changed);
    CHECK(says(message(), {"reading the checkpoint: ", file.c_str(), "found content hash ", "; expected ",
                           "as its footer says", "damaged"}));
  }
  SECTION("cut short")
  {
    replace_content(file, whole.substr(0, whole.size() - 5));
    CHECK(says(message(), {"without locum's footer", "cut short", "an older checkpoint"}));
  }
  SECTION("somebody else's HDF5")
  {
    replace_content(file, whole.substr(0, whole.size() - footer_size));
    CHECK(says(message(), {"not a locum checkpoint", "`locum info "}));
  }
  SECTION("empty")
  {
    replace_content(file, "");
    CHECK(says(message(), {"found 0 bytes", "not a locum checkpoint"}));
  }
  SECTION("of a newer locum")
  {
    const auto image = std::as_bytes(std::span(whole)).first(whole.size() - footer_size);
    const auto newer = tests::with_footer(image, /*version=*/2);
    replace_content(file, {reinterpret_cast<const char*>(newer.data()), newer.size()});
    CHECK(says(message(), {"format version 2: written by a newer locum", "version 1 at most"}));
  }
  SECTION("not there")
  {
    std::filesystem::remove(file);
    CHECK(says(message(), {file.c_str(), "No such file or directory"}));
  }
}

TEST_CASE("checkpoint: a missing or unlike entry is named with the nearest", "[io][error]")
{
  const tests::TemporaryFolder folder;
  small_checkpoint().write(folder / "a.h5");
  const auto read = io::Checkpoint::read(folder / "a.h5");
  CHECK(says(message_of([&] { read.tensor("model/layers.0.wieght"); }),
             {"a.h5", "no \"model/layers.0.wieght\"", "try   \"model/layers.0.weight\""}));
  CHECK(says(message_of([&] { read.text("epoch"); }), {"a.h5:/epoch", "found numbers", "expected a text"}));
  CHECK(says(message_of([&] { read.tensor("model/name"); }), {"found a text", "expected numbers"}));
  CHECK(says(message_of([&] { read.integer("loss"); }), {"Double", "one whole number"}));
  CHECK(says(message_of([&] { read.real("sampler/order"); }), {"[2]", "one number"}));
}

TEST_CASE("checkpoint: what it cannot hold is refused, and the old file stays", "[io][error]")
{
  const tests::TemporaryFolder folder;
  small_checkpoint().write(folder / "a.h5");
  io::Checkpoint checkpoint;
  checkpoint.put("mask", torch::ones({2}, torch::kFloat16));
  CHECK(says(message_of([&] { checkpoint.write(folder / "a.h5"); }), {"a.h5:/mask", "Half", "Float, Double or Long"}));
  CHECK_FALSE(is_refused(folder / "a.h5"));
}

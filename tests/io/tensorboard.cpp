#include <locum/io/logs/tensorboard.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace locum::io;
using locum::tests::TemporaryFolder;

static std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST_CASE("CRC-32C: the vectors of RFC 3720, sec. B.4", "[io]")
{
  std::string counting;
  for (char i = 0; i < 32; ++i) counting += i;
  CHECK(crc32c(bytes_of(std::string(32, '\0'))) == 0x8a9136aa);
  CHECK(crc32c(bytes_of(std::string(32, '\xff'))) == 0x62a8ab43);
  CHECK(crc32c(bytes_of(counting)) == 0x46dd794e);
  CHECK(crc32c(bytes_of("123456789")) == 0xe3069283);  // the check value of the catalogues
}

namespace {

/// A reader of its own for what the format's definition says: fields of a message by number, as their bytes.
std::multimap<unsigned, std::string> fields_of(const std::string& message)
{
  std::multimap<unsigned, std::string> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const std::uint64_t tag = varint();
    std::string content;
    switch (tag & 7) {
      case 0:
        content = std::to_string(varint());
        break;
      case 1:
        content = message.substr(at, 8);
        at += 8;
        break;
      case 2: {
        const auto length = varint();
        content = message.substr(at, length);
        at += length;
        break;
      }
      default:
        REQUIRE((tag & 7) == 5);
        content = message.substr(at, 4);
        at += 4;
    }
    fields.emplace(static_cast<unsigned>(tag >> 3), content);
  }
  return fields;
}

template <class Number>
Number number_of(const std::string& bytes)
{
  Number number;
  REQUIRE(bytes.size() == sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

/// The messages in a file of records, whose checksums must be right.
std::vector<std::string> records_of(const std::filesystem::path& file)
{
  std::ifstream stream(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(stream), {}};
  std::vector<std::string> records;
  for (std::size_t at = 0; at < all.size();) {
    const auto length = number_of<std::uint64_t>(all.substr(at, 8));
    const std::string content = all.substr(at + 12, length);
    CHECK(number_of<std::uint32_t>(all.substr(at + 8, 4)) == masked_crc32c(bytes_of(all.substr(at, 8))));
    CHECK(number_of<std::uint32_t>(all.substr(at + 12 + length, 4)) == masked_crc32c(bytes_of(content)));
    records.push_back(content);
    at += 16 + length;
  }
  return records;
}

}  // namespace

TEST_CASE("TensorBoard's file: records of events, decoded by what their definition says", "[io][restart]")
{
  const TemporaryFolder folder;
  const auto file = folder / "events.out.tfevents.locum";
  TensorBoardLog(folder.path()).append(300, {{"loss/training", 0.25}, {"rate", 1e-3}, {"error", std::nan("")}});
  std::ofstream(file, std::ios::binary | std::ios::app) << "torn";
  TensorBoardLog(folder.path()).append(301, {{"rate", 5e-4}});

  const auto records = records_of(file);
  REQUIRE(records.size() == 3);
  CHECK(fields_of(records[0]).find(3)->second == "brain.Event:2");
  CHECK(number_of<double>(fields_of(records[0]).find(1)->second) > 1.7e9);  // seconds since 1970
  const auto event = fields_of(records[1]);
  CHECK(event.find(2)->second == "300");
  const auto summary = fields_of(event.find(5)->second);
  REQUIRE(summary.count(1) == 2);
  std::map<std::string, float> values;
  for (const auto& [field, message] : summary) {
    const auto value = fields_of(message);
    values[value.find(1)->second] = number_of<float>(value.find(2)->second);
  }
  CHECK(values == std::map<std::string, float>{{"loss/training", 0.25F}, {"rate", 1e-3F}});
  CHECK(fields_of(records[2]).find(2)->second == "301");
}

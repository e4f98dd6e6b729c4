#include "tensorboard.hpp"

#include <fcntl.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>

namespace locum::io {

static const char* const doing = "writing metrics for TensorBoard";

static constexpr auto crc_table = [] {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // bits reversed
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
    table[i] = value;
  }
  return table;
}();

std::uint32_t crc32c(std::span<const std::byte> bytes)
{
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) crc = crc >> 8 ^ crc_table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xff];
  return ~crc;
}

std::uint32_t masked_crc32c(std::span<const std::byte> bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8; }

// Protocol buffers: a field is its number and kind in a varint, then a varint, four or eight bytes, or a length and as
// many bytes.

namespace {

class Message {
 public:
  void number(unsigned field, std::uint64_t value)
  {
    varint(field << 3);
    varint(value);
  }
  void real(unsigned field, double value)
  {
    varint(field << 3 | 1);
    append(&value, sizeof value);
  }
  void real(unsigned field, float value)
  {
    varint(field << 3 | 5);
    append(&value, sizeof value);
  }
  void text(unsigned field, const std::string& value)
  {
    varint(field << 3 | 2);
    varint(value.size());
    bytes += value;
  }

  std::string bytes;

 private:
  void varint(std::uint64_t value)
  {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
  }
  void append(const void* value, std::size_t size) { bytes.append(static_cast<const char*>(value), size); }
};

Message event_now()
{
  Message event;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  event.real(1, std::chrono::duration<double>(now).count());  // wall_time
  return event;
}

std::span<const std::byte> bytes_of(const void* data, std::size_t size)
{
  return {static_cast<const std::byte*>(data), size};
}

/// Bytes of the whole records at the beginning of a file.
off_t length_of_records(const Descriptor& file)
{
  off_t end = 0;
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  for (;;) {
    struct {
      std::uint64_t length;
      std::uint32_t check;
    } head;
    constexpr std::size_t head_size = 12, tail_size = 4;
    if (::pread(file.get(), &head, head_size, end) != head_size) return end;
    if (masked_crc32c(bytes_of(&head.length, sizeof head.length)) != head.check) return end;
    const auto rest = static_cast<std::uint64_t>(size - end);
    if (rest < head_size + tail_size || head.length > rest - head_size - tail_size) return end;
    end += static_cast<off_t>(head_size + head.length + tail_size);
  }
}

}  // namespace

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder)
    : path_(folder / "events.out.tfevents.locum"),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666))
{
  if (!file_) throw system_error(doing, path_, errno);
  const off_t whole = length_of_records(file_);
  if (::ftruncate(file_.get(), whole) != 0) throw system_error(doing, path_, errno);
  if (whole > 0) return;
  Message event = event_now();
  event.text(3, "brain.Event:2");  // file_version
  write(event.bytes);
}

void TensorBoardLog::append(std::int64_t step, const std::vector<std::pair<std::string, double>>& numbers)
{
  Message summary;
  for (const auto& [name, number] : numbers) {
    if (!std::isfinite(number)) continue;
    Message value;
    value.text(1, name);                        // tag
    value.real(2, static_cast<float>(number));  // simple_value
    summary.text(1, value.bytes);               // value
  }
  Message event = event_now();
  event.number(2, static_cast<std::uint64_t>(step));  // step
  event.text(5, summary.bytes);                       // summary
  write(event.bytes);
}

void TensorBoardLog::write(const std::string& event)
{
  const std::uint64_t length = event.size();
  const std::uint32_t length_check = masked_crc32c(bytes_of(&length, sizeof length)),
                      check = masked_crc32c(bytes_of(event.data(), event.size()));
  std::string record;
  const auto append = [&](const void* data, std::size_t size) { record.append(static_cast<const char*>(data), size); };
  append(&length, sizeof length);
  append(&length_check, sizeof length_check);
  record += event;
  append(&check, sizeof check);
  const auto written = ::write(file_.get(), record.data(), record.size());
  if (written != static_cast<ssize_t>(record.size())) throw system_error(doing, path_, written < 0 ? errno : ENOSPC);
}

}  // namespace locum::io

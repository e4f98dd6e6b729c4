#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace locum::io {

/// Everything a run needs to go on, or a trained model to be used: named tensors, texts and numbers.
///
/// Names are paths, "model/layers.0.weight"; what stands before a slash is a group. On disk it is one HDF5 file, which
/// h5py and h5dump open, followed by a footer: "LOCUMCKP", format version (uint32), length of what stands before the
/// footer (uint64), and the XXH3-128 hash of all that. So a file that was cut short or changed in any bit is refused
/// before HDF5 sees it. Nothing in it is code. Equal content gives equal bytes. Not thread-safe, not collective.
class Checkpoint {
 public:
  /// Sets `path` to a tensor of float32, float64 or int64 values; type and shape are kept. A tensor on the CPU is not
  /// copied: write() saves what it holds then.
  void put(const std::string& path, torch::Tensor values);
  void put(const std::string& path, std::string text);
  /// A number is a tensor without axes, int64 or float64.
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  void put(const std::string& path, Number value)
  {
    if constexpr (std::is_integral_v<Number>) put(path, torch::tensor(static_cast<std::int64_t>(value), torch::kInt64));
    else put(path, torch::tensor(static_cast<double>(value), torch::kFloat64));
  }

  bool has(const std::string& path) const { return entries_.count(path) > 0; }
  /// Paths of all entries below `group`, without it, in alphabetical order.
  std::vector<std::string> names(const std::string& group) const;

  /// @throws DataError  naming the file and the nearest path, if there is no such entry or it is of another kind.
  const torch::Tensor& tensor(const std::string& path) const;
  const std::string& text(const std::string& path) const;
  std::int64_t integer(const std::string& path) const;
  double real(const std::string& path) const;

  /// Replaces `file`; whatever happens, the folder holds the old checkpoint or the new one (write_atomically()).
  /// @throws SystemError  with the system's reason
  /// @throws DataError    if a tensor is of another type than those above
  void write(const std::filesystem::path& file) const;

  /// @throws SystemError  if the file cannot be read
  /// @throws DataError    if it is no checkpoint, cut short, changed, or of a newer locum
  static Checkpoint read(const std::filesystem::path& file);
  /// The same for a file that is already in memory; `where` stands for it in messages.
  static Checkpoint parse(std::span<const std::byte> bytes, const std::string& where);
  /// Whether the file ends as a checkpoint does; it may be damaged all the same.
  static bool recognises(const std::filesystem::path& file);

 private:
  using Entry = std::variant<torch::Tensor, std::string>;
  const Entry& entry(const std::string& path) const;

  std::map<std::string, Entry> entries_;
  std::string where_ = "a checkpoint in memory";
};

}  // namespace locum::io

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <locum/core/error.hpp>
#include <locum/io/datasets/dataset.hpp>

/// A file in memory, the same for the life of the process.
static const std::filesystem::path file = "/dev/shm/locum-fuzz-" + std::to_string(getpid()) + ".h5";

static void write_file(const std::uint8_t* data, std::size_t size)
{
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (descriptor < 0 || write(descriptor, data, size) != static_cast<ssize_t>(size)) abort();
  close(descriptor);
}

/// Datasets: whatever the file holds, opening it and reading the first and last sample of every field ends well or with
/// an error of ours.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  write_file(data, size);
  try {
    const auto dataset = locum::io::open_dataset(file);
    dataset->provenance();
    for (const auto& field : dataset->fields())
      for (const auto sample : {std::int64_t{0}, dataset->size() - 1}) {
        try {
          dataset->read({field.name}, sample, 1, dataset->steps() - 1);
        } catch (const locum::Error&) {
        }
      }
  } catch (const locum::Error&) {
  }
  unlink(file.c_str());
  return 0;
}

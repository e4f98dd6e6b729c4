#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>

namespace locum::tests {

/// A fresh folder that is gone when the test is.
class TemporaryFolder {
 public:
  TemporaryFolder()
  {
    std::string pattern = (std::filesystem::temp_directory_path() / "locum-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace locum::tests

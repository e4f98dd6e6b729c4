#pragma once
#include <utility>

namespace locum {

/// Owns one C handle: moves, never copies, releases once.
///
/// A destructor cannot report: after writing through a handle, close it with give_up() and check what the closing
/// function returns (a full disk shows at close).
template <class Raw, Raw none, auto release>
class Handle {
 public:
  Handle() = default;
  explicit Handle(Raw raw) noexcept : raw_(raw) {}
  Handle(Handle&& other) noexcept : raw_(other.give_up()) {}
  Handle& operator=(Handle&& other) noexcept
  {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Handle()
  {
    if (raw_ != none) release(raw_);
  }

  Raw get() const noexcept { return raw_; }
  Raw* out() noexcept { return &raw_; }  ///< For C functions that fill in a handle: VecCreate(…, vec.out()).
  Raw give_up() noexcept { return std::exchange(raw_, none); }
  explicit operator bool() const noexcept { return raw_ != none; }

 private:
  Raw raw_ = none;
};

}  // namespace locum

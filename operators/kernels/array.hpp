#pragma once
#include <cstddef>
#include <new>
#include <vector>

namespace locum::operators::kernels {

/// Gives memory that begins with a cache line, so that no register is loaded from two of them or stored into two.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t line{64};

  LineAllocator() = default;
  template <class Other>
  LineAllocator(const LineAllocator<Other>&) noexcept
  {
  }

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, line); }
  bool operator==(const LineAllocator&) const = default;
};

/// What the kernels work in.
template <class T>
using Array = std::vector<T, LineAllocator<T>>;

}  // namespace locum::operators::kernels

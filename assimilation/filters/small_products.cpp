#include "small_products.hpp"

#include <locum/core/processors.hpp>

#include <algorithm>
#include <cstring>

namespace locum::assimilation {

/// Eight neighbours, in one register or several, as the processor has them.
using Eight [[gnu::vector_size(64)]] = double;

/// out[i, j] = Σ_k a(i, k) b[k, j], a(i, k) = a[i · by_row + k · by_column]: four rows of eight columns at a time,
/// which stay in registers.
LOCUM_FOR_PROCESSORS static void product(const double* a, std::int64_t by_row, std::int64_t by_column, const double* b,
                                         std::int64_t rows, std::int64_t inner, std::int64_t columns, double* out)
{
  constexpr std::int64_t height = 4, width = 8;
  for (std::int64_t j = 0; j < columns; j += width) {
    const std::int64_t wide = std::min(width, columns - j);
    for (std::int64_t i = 0; i < rows; i += height) {
      const std::int64_t high = std::min(height, rows - i);
      if (wide == width && high == height) {
        Eight first{}, second{}, third{}, fourth{}, from;
        const double* factor = a + i * by_row;
        for (std::int64_t k = 0; k < inner; ++k, factor += by_column) {
          std::memcpy(&from, b + k * columns + j, sizeof from);
          first += factor[0] * from;
          second += factor[by_row] * from;
          third += factor[2 * by_row] * from;
          fourth += factor[3 * by_row] * from;
        }
        double* const to = out + i * columns + j;
        std::memcpy(to, &first, sizeof first);
        std::memcpy(to + columns, &second, sizeof second);
        std::memcpy(to + 2 * columns, &third, sizeof third);
        std::memcpy(to + 3 * columns, &fourth, sizeof fourth);
        continue;
      }
      for (std::int64_t r = i; r < i + high; ++r)
        for (std::int64_t c = j; c < j + wide; ++c) {
          double sum = 0;
          for (std::int64_t k = 0; k < inner; ++k) sum += a[r * by_row + k * by_column] * b[k * columns + c];
          out[r * columns + c] = sum;
        }
    }
  }
}

void multiply(const Matrix& a, const Matrix& b, Matrix& out)
{
  out.resize(a.rows(), b.cols());
  product(a.data(), a.cols(), 1, b.data(), a.rows(), a.cols(), b.cols(), out.data());
}

void gram(const Matrix& a, Matrix& out)
{
  out.resize(a.cols(), a.cols());
  product(a.data(), 1, a.cols(), a.data(), a.cols(), a.rows(), a.cols(), out.data());
}

}  // namespace locum::assimilation

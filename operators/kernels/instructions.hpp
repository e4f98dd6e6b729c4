#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace locum::operators::kernels {

/// What a matrix product starts from.
enum class Start {
  zero,  ///< C = A B
  add,   ///< C = C + A B
  row,   ///< C = A B + one row for all: a bias
};

/// A folded part of a field, Σ_i matrix[j, i] · from[i].
template <class T>
struct SynthesisPart {
  const T* matrix;     ///< [folded point, count]
  std::int64_t count;  ///< of frequencies
  const T* from;       ///< [count, columns]
  std::int64_t row;    ///< The stride of `from`.
};

/// The inner loops of this folder, once for each instruction set they were compiled for. All arrays are row-major, row
/// by row; a stride counts numbers, not bytes. Nothing may overlap unless it says so. None of them starts threads.
///
/// Results of one set are the same bits however the work is cut into calls; another set may round otherwise, where it
/// has fused multiply-add.
template <class T>
struct Instructions {
  std::string name;  ///< baseline, x86-64-v3, x86-64-v4

  /// C [rows, columns] from A [rows, depth], element (i, k) at a[i · a_row + k · a_column], and B [depth, columns].
  /// @param bias  [columns], for Start::row
  void (*multiply)(std::int64_t rows, std::int64_t columns, std::int64_t depth, const T* a, std::int64_t a_row,
                   std::int64_t a_column, const T* b, std::int64_t b_row, T* c, std::int64_t c_row, Start start,
                   const T* bias);

  /// Sums and differences of points that a cosine or a sine maps to the same value up to a sign: see Axis.
  /// @param x       [points, columns] with stride x_row
  /// @param folded  [4 or 2, (points / 4) + 1 or (points + 1) / 2, columns]: four parts if `points` is even
  void (*fold)(std::int64_t points, std::int64_t columns, const T* x, std::int64_t x_row, T* folded);
  /// x [points, columns], stride x_row: the transpose of fold() of what `parts` say, four or two of them.
  void (*synthesise)(std::int64_t points, std::int64_t columns, const SynthesisPart<T>* parts, T* x,
                     std::int64_t x_row);

  /// Frequencies k and −k from their cosine and sine parts: plus = c − i s, minus = c + i s.
  /// All [units, 2, channels], the axis of length 2 for real and imaginary part; plus or minus may be null.
  void (*split_signs)(std::int64_t units, std::int64_t channels, const T* c, const T* s, T* plus, T* minus);
  /// The transpose of split_signs(): c = plus + minus, s = i (plus − minus). A null plus or minus is zero.
  void (*join_signs)(std::int64_t units, std::int64_t channels, const T* plus, const T* minus, T* c, T* s);

  /// The spectra of one mode as rows that real matrix products can mix: [2, batch, 2, channels] from x [batch, 2,
  /// channels] with stride x_row; re → (re, −im), im → (im, re), all times `factor`.
  void (*pack_mode)(std::int64_t batch, std::int64_t channels, T factor, const T* x, std::int64_t x_row, T* packed);
  /// The transpose of pack_mode().
  void (*unpack_mode)(std::int64_t batch, std::int64_t channels, T factor, const T* packed, T* x, std::int64_t x_row);

  /// b [columns, rows] = aᵀ
  void (*transpose)(std::int64_t rows, std::int64_t columns, const T* a, std::int64_t a_row, T* b, std::int64_t b_row);

  /// result[i, j] = factor[j] · values[i, j] + bias[j], in place if they are the same array; bias may be null.
  void (*scale_columns)(std::int64_t rows, std::int64_t columns, const T* factor, const T* values, const T* bias,
                        T* result);
  /// sums[j] += Σᵢ values[i, j]
  void (*add_column_sums)(std::int64_t rows, std::int64_t columns, const T* values, T* sums);
  /// sums[j] += Σᵢ a[i, j] · b[i, j]
  void (*add_column_products)(std::int64_t rows, std::int64_t columns, const T* a, const T* b, T* sums);

  /// result = x Φ(x), in place if they are the same array; to 3e-7 of the larger of 1 and itself in float32, 1e-15 in
  /// float64. NaN stays NaN.
  void (*gelu)(std::int64_t count, const T* x, T* result);
  /// value = x Φ(x) and slope = Φ(x) + x φ(x), its derivative, to 8e-7 and 4e-15.
  void (*gelu_slope)(std::int64_t count, const T* x, T* value, T* slope);
  /// d_x = (d_y + more) ⊙ slope of x Φ(x) at x: the gradient through it of what two gradients add up to; d_x may be one
  /// of them.
  void (*gelu_gradient)(std::int64_t count, const T* x, const T* d_y, const T* more, T* d_x);
  /// values[i] += more[i]
  void (*add)(std::int64_t count, const T* more, T* values);
  /// values[i] *= factor[i]
  void (*scale)(std::int64_t count, const T* factor, T* values);

  /// One step of Adam (Kingma & Ba 2015) on numbers first … first + count of a parameter.
  void (*adam)(std::int64_t count, const struct AdamStep& step, const T* gradient, T* parameter, T* first_moment,
               T* second_moment);
};

struct AdamStep {
  double beta1, beta2, epsilon;
  double step_size;        ///< rate / (1 − β₁ᵗ)
  double root_correction;  ///< 1 / √(1 − β₂ᵗ)
  double shrink;           ///< What the parameter is multiplied by first: decoupled weight decay.
  double coupled_decay;    ///< Times the parameter, is added to the gradient.
};

/// The sets this processor can run, best last.
template <class T>
const std::vector<Instructions<T>>& available_instructions();

/// The best of them.
template <class T>
const Instructions<T>& instructions()
{
  return available_instructions<T>().back();
}

}  // namespace locum::operators::kernels

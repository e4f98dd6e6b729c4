#pragma once
#include <torch/torch.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace locum::io {

// Pictures for reports, drawn by gnuplot (a program found on PATH at run time; no display needed). Beside NAME.png stay
// NAME.gp and NAME.dat: change the script and run `gnuplot NAME.gp` in that folder to draw it again.
// Every function throws SystemError if gnuplot is missing or fails, or if the folder cannot be written.

enum class ColourMap {
  sequential,  ///< Viridis: from little to much.
  diverging    ///< Blue, white, red: below, at and above zero.
};

using Range = std::pair<double, double>;

/// One picture of a scalar field.
struct Panel {
  std::string title = {};
  torch::Tensor values;  ///< [y, x], any floating type; y upwards. NaN is grey.
  std::string unit = "1";
  ColourMap colours = ColourMap::sequential;
  std::optional<Range> range =
      std::nullopt;  ///< Of the colours; if absent the values' own, symmetric about zero when diverging.
  std::optional<double> aspect = std::nullopt;  ///< Width over height; if absent cells are square.
  torch::Tensor flow = {};  ///< [component (x, y), y, x]: streamlines of it are drawn over the values; or undefined.
};

/// The smallest and largest finite value of all tensors: panels that share it can be compared by eye.
Range common_range(const std::vector<torch::Tensor>& fields);

/// Fields side by side with colour bars, at most four in a row. Neighbours with the same explicit range, colours and
/// unit share one bar. Fields of more than 512 values an axis are averaged down to what can be seen.
void draw_fields(const std::filesystem::path& png, const std::vector<Panel>& panels, const std::string& title = "");

struct Curve {
  std::string name;
  torch::Tensor x, y;   ///< [point]
  bool points = false;  ///< Dots instead of a line.
};

/// What stands around curves.
struct Axes {
  std::string title = {};
  std::string x = {}, y = {};  ///< Labels with units: "time (s)".
  bool log_x = false, log_y = false;
};

/// Curves or dots in one pair of axes: losses, spectra, trials. On a logarithmic axis what is not positive is left out.
void draw_curves(const std::filesystem::path& png, const std::vector<Curve>& curves, const Axes& axes);

/// One number for each label.
struct Marks {
  std::string name;
  torch::Tensor x;          ///< [label]; NaN is left out.
  torch::Tensor deviation;  ///< [label], half the length of a bar; or undefined.
};

/// Numbers beside their labels, a line each from the top: coefficients and their uncertainty.
/// @throws ShapeError  if there are not as many numbers as labels
void draw_marks(const std::filesystem::path& png, const std::vector<std::string>& labels,
                const std::vector<Marks>& marks, const Axes& axes);

/// How often `values` (any shape) fall where, with their median and the value 95 % stay below. Bins by the rule of
/// Freedman and Diaconis (1981). NaN and infinities are left out; `axes` must be linear.
void draw_histogram(const std::filesystem::path& png, const torch::Tensor& values, const Axes& axes);

struct Spectrum {
  torch::Tensor wave_number;  ///< [k], float64: 0, 1, 2, … periods across the box.
  torch::Tensor energy;       ///< [k], float64: square of the field's unit.
};

/// Energy by wave number of a periodic field on a square box, the mean over members:
///     E(k) = Σ |û(κ)|²  over  k − ½ ≤ |κ| < k + ½,   û = F u / (n_y n_x),
/// up to the corners of the spectrum, so that Σ E(k) = ⟨u²⟩ (Parseval).
/// @param field  [(batch,) y, x], real
Spectrum radial_spectrum(const torch::Tensor& field);

}  // namespace locum::io

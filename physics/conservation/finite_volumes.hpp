#pragma once
#include <locum/core/processors.hpp>

#include <algorithm>
#include <vector>

#include "conservation_law.hpp"
#include "point_values.hpp"

namespace locum::physics {

/// The loops of FiniteVolumesOf. Compiled for several instruction sets; what they call is inlined.
namespace loops {

template <Limiter limiter, class Value>
inline Value slope(const Value& a, const Value& b)
{
  using namespace point_values;
  const Value product = a * b;
  if constexpr (limiter == Limiter::van_leer) return 2 * larger(product, 0.0) / choose(product > 0, Value(a + b), 1.0);
  else return choose(product > 0, choose(size_of(a) < size_of(b), a, b), 0.0);
}

/// Places of the variables of a point when its first axis is `axis`: there, the first velocity is the one along it.
template <int variables, int axes>
constexpr std::array<int, variables> turned(int axis)
{
  std::array<int, variables> places{};
  for (int v = 0; v < variables; ++v) places[static_cast<std::size_t>(v)] = v;
  if (axes == 2 && axis == 1) std::swap(places[1], places[2]);
  return places;
}

/// Fluxes through `faces` faces in a row, face i between cells i − step and i.
/// @param w        [variable] of the cells
/// @param step     distance between cells on both sides
/// @param low, up  [variable, face]: what flows out of the cell below, and into the one above
template <Limiter limiter, class Point>
LOCUM_FOR_PROCESSORS static void fluxes(const Point& point, const double* const* w, std::int64_t step,
                                        std::int64_t faces, double* const* low, double* const* up)
{
  constexpr int n = Point::variables;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < faces; ++i) {
    double below[n], above[n], out[n], in[n];
    for (int v = 0; v < n; ++v) {
      const double a = w[v][i - 2 * step], b = w[v][i - step], c = w[v][i], d = w[v][i + step];
      below[v] = b + 0.5 * slope<limiter>(b - a, c - b);
      above[v] = c - 0.5 * slope<limiter>(c - b, d - c);
    }
    point.flux(below, above, out, in);
    for (int v = 0; v < n; ++v) {
      low[v][i] = out[v];
      up[v][i] = in[v];
    }
  }
}

/// Takes viscous fluxes off `low` and `up`.
/// @param transverse  distance to the neighbour along the other axis; 0 on a line
template <class Point>
LOCUM_FOR_PROCESSORS static void viscous_fluxes(const Point& point, const double* const* w, std::int64_t step,
                                                std::int64_t transverse, double spacing, double transverse_spacing,
                                                std::int64_t faces, double* const* low, double* const* up)
{
  constexpr int n = Point::variables, axes = Point::axes;
  const double across = 1 / spacing, along = 1 / (4 * transverse_spacing);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < faces; ++i) {
    double mean[axes], normal[axes], tangential[axes], flux[n];
    for (int d = 0; d < axes; ++d) {
      const double *const u = w[1 + d] + i, *const below = u - step;
      mean[d] = 0.5 * (below[0] + u[0]);
      normal[d] = (u[0] - below[0]) * across;
      tangential[d] = (below[transverse] - below[-transverse] + u[transverse] - u[-transverse]) * along;
    }
    point.viscous_flux(mean, normal, tangential, flux);
    for (int v = 1; v < n; ++v) {
      low[v][i] -= flux[v];
      up[v][i] -= flux[v];
    }
  }
}

/// rate_v = (rate_v) + (in_v − out_v) / spacing
template <bool add>
LOCUM_FOR_PROCESSORS static void balance(const double* in, const double* out, double spacing, std::int64_t cells,
                                         double* __restrict rate)
{
  const double per = 1 / spacing;
  for (std::int64_t i = 0; i < cells; ++i) rate[i] = (add ? rate[i] : 0) + (in[i] - out[i]) * per;
}

/// Adds the source along an axis to the rate of momentum along it.
template <Limiter limiter, class Point>
LOCUM_FOR_PROCESSORS static void add_source(const Point& point, const double* const* w, std::int64_t step,
                                            double spacing, std::int64_t cells, double* __restrict rate)
{
  constexpr int n = Point::variables;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < cells; ++i) {
    double low[n], high[n];
    for (int v = 0; v < n; ++v) {
      const double a = w[v][i - step], b = w[v][i], c = w[v][i + step];
      const double half = 0.5 * slope<limiter>(b - a, c - b);
      low[v] = b - half;
      high[v] = b + half;
    }
    rate[i] += point.source(low, high) / spacing;
  }
}

template <class Point>
LOCUM_FOR_PROCESSORS static void primitives(const Point& point, const double* const* conserved, std::int64_t cells,
                                            double* const* out)
{
  constexpr int n = Point::variables;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < cells; ++i) {
    double q[n], w[n];
    for (int v = 0; v < n; ++v) q[v] = conserved[v][i];
    point.primitives(q, w);
    for (int v = 0; v < n; ++v) out[v][i] = w[v];
  }
}

/// The largest over cells of what Point::signals() says; of those that say a number.
template <class Point>
LOCUM_FOR_PROCESSORS static double fastest(const Point& point, const double* const* w, const double* spacing,
                                           std::int64_t cells)
{
  constexpr int n = Point::variables;
  constexpr std::int64_t lanes = 8;
  double most[lanes] = {};
  for (std::int64_t begin = 0; begin < cells; begin += lanes)
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t i = std::min(begin + lane, cells - 1);
      double here[n];
      for (int v = 0; v < n; ++v) here[v] = w[v][i];
      most[lane] = point_values::larger(point.signals(here, spacing), most[lane]);
    }
  return *std::max_element(most, most + lanes);
}

}  // namespace loops

/// FiniteVolumes from an equation's formulas at points. `Point` has
///     static constexpr int axes, variables;      density or depth first, then velocity, then the rest
///     static constexpr bool has_source;
///     bool viscous() const;
/// and, for Value double and Tensor, arrays [variables] unless they say otherwise,
///     void primitives(const Value* conserved, Value* primitive) const;
///     void conserved(const Value* state, Value* conserved) const;    and state(), its inverse
///     void state_rate(const Value* conserved, const Value* rate, Value* state_rate) const;
///     Value signals(const Value* primitive, const double* spacing) const;    sum over axes, spacing of x first
///     void flux(const Value* below, const Value* above, Value* out, Value* in) const;    along the first axis
///     void viscous_flux(const Value* mean, const Value* normal, const Value* tangential, Value* flux) const;
///                                                [axes]: velocity, and its derivatives across the face and along it
///     Value source(const Value* low, const Value* high) const;    of momentum, times Δ, from both edges of a cell
template <class Point>
class FiniteVolumesOf final : public FiniteVolumes {
  static constexpr int n = Point::variables, axes = Point::axes;
  using Values = std::array<Tensor, n>;

 public:
  FiniteVolumesOf(Point point, const VolumeOptions& options, const Grid& grid)
      : point_(point), limiter_(options.limiter), boundary_{options.boundary_x, options.boundary_y}
  {
    for (int axis = 0; axis < axes; ++axis)
      spacing_[axis] = grid.axes[static_cast<std::size_t>(axes - 1 - axis)].spacing;
  }

  std::int64_t variables() const override { return n; }

  Tensor conserved(const Tensor& state) const override
  {
    return mapped(state, [&](const Tensor* in, Tensor* out) { point_.conserved(in, out); });
  }
  Tensor state(const Tensor& conserved) const override
  {
    return mapped(conserved, [&](const Tensor* in, Tensor* out) { point_.state(in, out); });
  }
  Tensor state_rate(const Tensor& conserved, const Tensor& rate) const override
  {
    const Values rates = split(rate);
    return mapped(conserved, [&](const Tensor* in, Tensor* out) { point_.state_rate(in, rates.data(), out); });
  }
  Tensor fastest(const Tensor& conserved) const override
  {
    const Values q = split(conserved);
    Values w;
    point_.primitives(q.data(), w.data());
    return point_.signals(w.data(), spacing_).flatten(1).amax(1);
  }

  Tensor rate(const Tensor& conserved) const override
  {
    const Values q = split(conserved);
    Values w;
    point_.primitives(q.data(), w.data());
    for (int axis = 0; axis < axes; ++axis) extend(w, axis);

    std::vector<Tensor> total;
    for (int axis = 0; axis < axes; ++axis) {
      const auto place = loops::turned<n, axes>(axis);
      const std::int64_t cells = conserved.size(dimension(axis));
      // Cells first + offset …, one a face, of the rows of the domain.
      const auto beside = [&](int v, std::int64_t offset, std::int64_t count, std::int64_t transverse = 0) {
        Tensor values = w[static_cast<std::size_t>(place[static_cast<std::size_t>(v)])].narrow(
            dimension(axis) - 1, Strip::ghosts + offset, count);
        if constexpr (axes == 2)
          values =
              values.narrow(dimension(1 - axis) - 1, Strip::ghosts + transverse, conserved.size(dimension(1 - axis)));
        return values;
      };
      Values below, above, out, in;
      for (int v = 0; v < n; ++v) {
        const Tensor a = beside(v, -2, cells + 1), b = beside(v, -1, cells + 1), c = beside(v, 0, cells + 1),
                     d = beside(v, 1, cells + 1);
        const auto i = static_cast<std::size_t>(v);
        below[i] = b + 0.5 * slope(b - a, c - b);
        above[i] = c - 0.5 * slope(c - b, d - c);
      }
      point_.flux(below.data(), above.data(), out.data(), in.data());
      if (point_.viscous()) {
        std::array<Tensor, axes> mean, normal, tangential;
        for (int d = 0; d < axes; ++d) {
          const auto i = static_cast<std::size_t>(d);
          const Tensor b = beside(1 + d, -1, cells + 1), c = beside(1 + d, 0, cells + 1);
          mean[i] = 0.5 * (b + c);
          normal[i] = (c - b) / spacing_[axis];
          tangential[i] = torch::zeros_like(b);
          if constexpr (axes == 2)
            tangential[i] = (beside(1 + d, -1, cells + 1, 1) - beside(1 + d, -1, cells + 1, -1) +
                             beside(1 + d, 0, cells + 1, 1) - beside(1 + d, 0, cells + 1, -1)) /
                            (4 * spacing_[1 - axis]);
        }
        Values flux;
        point_.viscous_flux(mean.data(), normal.data(), tangential.data(), flux.data());
        for (std::size_t v = 1; v < n; ++v) {
          out[v] = out[v] - flux[v];
          in[v] = in[v] - flux[v];
        }
      }
      if (total.empty()) total.resize(n);
      for (int v = 0; v < n; ++v) {
        const auto i = static_cast<std::size_t>(v);
        Tensor change = (in[i].narrow(dimension(axis) - 1, 0, cells) - out[i].narrow(dimension(axis) - 1, 1, cells)) /
                        spacing_[axis];
        if constexpr (Point::has_source)
          if (v == 1) {
            Values low, high;
            for (int s = 0; s < n; ++s) {
              const Tensor a = beside(s, -1, cells), b = beside(s, 0, cells), c = beside(s, 1, cells);
              const Tensor half = 0.5 * slope(b - a, c - b);
              low[static_cast<std::size_t>(s)] = b - half;
              high[static_cast<std::size_t>(s)] = b + half;
            }
            change = change + point_.source(low.data(), high.data()) / spacing_[axis];
          }
        Tensor& sum = total[static_cast<std::size_t>(place[i])];
        sum = sum.defined() ? sum + change : change;
      }
    }
    return torch::stack(total, 1);
  }

  void primitives(const double* conserved, Strip& strip, std::int64_t first, std::int64_t last) const override
  {
    const std::int64_t columns = strip.columns(), cells = strip.rows() * columns;
    for (std::int64_t row = first; row < last; ++row) {
      const double* from[n];
      double* to[n];
      for (int v = 0; v < n; ++v) {
        from[v] = conserved + v * cells + row * columns;
        to[v] = strip.at(v, row);
      }
      loops::primitives(point_, from, columns, to);
      for (int v = 0; v < n; ++v) {
        const double mirrored = boundary_[0] == Boundary::wall && v == 1 ? -1 : 1;
        for (std::int64_t i = 0; i < Strip::ghosts; ++i) {
          to[v][-1 - i] = mirrored * to[v][beyond(boundary_[0], -1 - i, columns)];
          to[v][columns + i] = mirrored * to[v][beyond(boundary_[0], columns + i, columns)];
        }
      }
    }
  }

  void edges(Strip& strip, bool low, bool high) const override
  {
    if constexpr (axes == 2) {
      const auto copy = [&](std::int64_t row) {
        const std::int64_t from = beyond(boundary_[1], row, strip.rows());
        for (int v = 0; v < n; ++v) {
          const double mirrored = boundary_[1] == Boundary::wall && v == 2 ? -1 : 1;
          const double* const source = strip.at(v, from) - Strip::ghosts;
          std::transform(source, source + strip.stride(), strip.at(v, row) - Strip::ghosts,
                         [mirrored](double value) { return mirrored * value; });
        }
      };
      for (std::int64_t i = 0; i < Strip::ghosts; ++i) {
        if (low) copy(-1 - i);
        if (high) copy(strip.rows() + i);
      }
    }
  }

  double fastest(const Strip& strip, std::int64_t first, std::int64_t last) const override
  {
    double most = 0;
    for (std::int64_t row = first; row < last; ++row) {
      const auto w = row_of(strip, row, 0);
      const double here = loops::fastest(point_, w.data(), spacing_, strip.columns());
      most = std::max(most, here);
    }
    return most;
  }

  void rate(const Strip& strip, double* rate, std::int64_t first, std::int64_t last) const override
  {
    if (limiter_ == Limiter::van_leer) rate_with<Limiter::van_leer>(strip, rate, first, last);
    else rate_with<Limiter::minmod>(strip, rate, first, last);
  }

 private:
  /// Dimension of an axis in [batch, variable, (y,) x]; axis 0 is x.
  static constexpr std::int64_t dimension(int axis) { return 1 + axes - axis; }

  /// The cell whose values are those of a cell beyond an edge.
  static std::int64_t beyond(Boundary boundary, std::int64_t i, std::int64_t cells)
  {
    if (boundary == Boundary::periodic) return (i + cells) % cells;
    if (boundary == Boundary::outflow) return i < 0 ? 0 : cells - 1;
    return i < 0 ? -1 - i : 2 * cells - 1 - i;
  }

  static Values split(const Tensor& channels)
  {
    Values values;
    for (int v = 0; v < n; ++v) values[static_cast<std::size_t>(v)] = channels.select(1, v);
    return values;
  }

  template <class Map>
  static Tensor mapped(const Tensor& channels, const Map& map)
  {
    const Values in = split(channels);
    Values out;
    map(in.data(), out.data());
    return torch::stack(std::vector<Tensor>(out.begin(), out.end()), 1);
  }

  Tensor slope(const Tensor& a, const Tensor& b) const
  {
    return limiter_ == Limiter::van_leer ? loops::slope<Limiter::van_leer>(a, b) : loops::slope<Limiter::minmod>(a, b);
  }

  /// Adds the cells beyond both edges across an axis.
  void extend(Values& w, int axis) const
  {
    const std::int64_t along = dimension(axis) - 1, cells = w[0].size(along);
    const Boundary boundary = boundary_[axis];
    for (int v = 0; v < n; ++v) {
      Tensor& values = w[static_cast<std::size_t>(v)];
      const auto part = [&](std::int64_t first) {
        std::vector<Tensor> columns;
        for (std::int64_t i = first; i < first + Strip::ghosts; ++i)
          columns.push_back(values.narrow(along, beyond(boundary, i, cells), 1));
        const Tensor both = torch::cat(columns, along);
        return boundary == Boundary::wall && v == 1 + axis ? -both : both;
      };
      values = torch::cat({part(-Strip::ghosts), values, part(cells)}, along);
    }
  }

  /// Variables of a row, the velocity along `axis` first.
  static std::array<const double*, n> row_of(const Strip& strip, std::int64_t row, int axis)
  {
    const auto place = loops::turned<n, axes>(axis);
    std::array<const double*, n> w;
    for (std::size_t v = 0; v < n; ++v) w[v] = strip.at(place[v], row);
    return w;
  }

  template <Limiter limiter>
  void rate_with(const Strip& strip, double* rate, std::int64_t first, std::int64_t last) const
  {
    const std::int64_t columns = strip.columns(), cells = strip.rows() * columns, stride = strip.stride();
    // Fluxes out of the cells below the faces and into those above, of two rows of faces.
    std::vector<double> memory(static_cast<std::size_t>(4 * n * (columns + 1)));
    double *out[2][n], *in[2][n];
    for (int v = 0; v < n; ++v)
      for (int k = 0; k < 2; ++k) {
        out[k][v] = memory.data() + (4 * v + 2 * k) * (columns + 1);
        in[k][v] = out[k][v] + columns + 1;
      }
    const auto fluxes = [&](int axis, std::int64_t row, std::int64_t faces, int k) {
      const auto w = row_of(strip, row, axis);
      const std::int64_t step = axis == 0 ? 1 : stride;
      loops::fluxes<limiter>(point_, w.data(), step, faces, out[k], in[k]);
      if (point_.viscous())
        loops::viscous_fluxes(point_, w.data(), step,
                              axes == 1   ? 0
                              : axis == 0 ? stride
                                          : 1,
                              spacing_[axis], spacing_[axes == 1 ? 0 : 1 - axis], faces, out[k], in[k]);
    };
    const auto source = [&](int axis, std::int64_t row) {
      if constexpr (Point::has_source) {
        const auto w = row_of(strip, row, axis);
        loops::add_source<limiter>(point_, w.data(), axis == 0 ? 1 : stride, spacing_[axis], columns,
                                   rate + (1 + axis) * cells + row * columns);
      }
    };
    for (std::int64_t row = first; row < last; ++row) {
      fluxes(0, row, columns + 1, 0);
      for (int v = 0; v < n; ++v)
        loops::balance<false>(in[0][v], out[0][v] + 1, spacing_[0], columns, rate + v * cells + row * columns);
      source(0, row);
    }
    if constexpr (axes == 2) {
      const auto place = loops::turned<n, axes>(1);
      fluxes(1, first, columns, first % 2 == 0 ? 0 : 1);
      for (std::int64_t row = first; row < last; ++row) {
        const int low = row % 2 == 0 ? 0 : 1, high = 1 - low;
        fluxes(1, row + 1, columns, high);
        for (std::size_t v = 0; v < n; ++v)
          loops::balance<true>(in[low][v], out[high][v], spacing_[1], columns, rate + place[v] * cells + row * columns);
        source(1, row);
      }
    }
  }

  Point point_;
  Limiter limiter_;
  Boundary boundary_[2];  // across x, y
  double spacing_[2] = {1, 1};
};

}  // namespace locum::physics

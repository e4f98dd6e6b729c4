#include "periodic_equation.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <numbers>
#include <numeric>

namespace locum::physics {

Grid periodic_grid(const std::vector<std::int64_t>& points, const std::vector<double>& lengths)
{
  const char* const names[] = {"x", "y", "z"};
  Grid grid;
  for (std::size_t axis = 0; axis < points.size(); ++axis)
    grid.axes.push_back({.name = names[points.size() - 1 - axis],
                         .points = points[axis],
                         .origin = 0,
                         .spacing = lengths[axis] / static_cast<double>(points[axis]),
                         .periodic = true,
                         .unit = "1"});
  return grid;
}

Tensor wave_numbers(const Grid& grid, std::size_t axis)
{
  const Axis& along = grid.axes[axis];
  const double lowest = 2 * std::numbers::pi / (static_cast<double>(along.points) * along.spacing);
  const bool halved = axis + 1 == grid.axes.size();
  const auto options = torch::kFloat64;
  const Tensor whole =
      halved ? torch::fft::rfftfreq(along.points, options) : torch::fft::fftfreq(along.points, options);
  std::vector<std::int64_t> shape(grid.axes.size(), 1);
  shape[axis] = whole.size(0);
  return ((whole * static_cast<double>(along.points)).round() * lowest).view(shape);
}

Tensor derivative(const Grid& grid, std::size_t axis)
{
  Tensor k = wave_numbers(grid, axis).clone();
  if (const auto n = grid.axes[axis].points; n % 2 == 0) k.flatten()[n / 2] = 0;
  return torch::complex(torch::zeros_like(k), k);
}

Tensor derivative(const Grid& grid, const std::array<int, 3>& times)
{
  Tensor symbol = torch::ones_like(squared_wave_number(grid), torch::kComplexDouble);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 0) continue;
    const std::string name(1, static_cast<char>('x' + i));
    std::size_t axis = 0;
    while (axis < grid.axes.size() && grid.axes[axis].name != name) ++axis;
    if (axis == grid.axes.size())
      throw ShapeError({.doing = "differentiating a field",
                        .where = "its grid",
                        .found = "no axis " + name,
                        .expected = "axes called x, y, z",
                        .advice = ""});
    if (times[i] % 2 == 1) symbol = symbol * derivative(grid, axis);
    if (times[i] > 1) symbol = symbol * (-wave_numbers(grid, axis).square()).pow(times[i] / 2);
  }
  return symbol;
}

Tensor squared_wave_number(const Grid& grid)
{
  Tensor sum = wave_numbers(grid, 0).square();
  for (std::size_t axis = 1; axis < grid.axes.size(); ++axis) sum = sum + wave_numbers(grid, axis).square();
  return sum;
}

Tensor matrix_of(const std::vector<std::vector<Tensor>>& entries)
{
  std::vector<Tensor> defined;
  for (const auto& row : entries)
    for (const Tensor& entry : row)
      if (entry.defined()) defined.push_back(entry);
  const Tensor zero = torch::zeros_like(torch::broadcast_tensors(defined).front(), torch::kComplexDouble);
  std::vector<Tensor> rows;
  for (const auto& row : entries) {
    std::vector<Tensor> columns;
    for (const Tensor& entry : row) columns.push_back(entry.defined() ? entry + zero : zero);
    rows.push_back(torch::stack(columns));
  }
  return torch::stack(rows);
}

Sample draw_states(const Grid& grid, const std::string& field, std::uint64_t seed, std::int64_t first,
                   std::int64_t count, const std::function<Tensor(RandomStream&)>& draw)
{
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    states.push_back(draw(random));
  }
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields[field] = {.values = torch::stack(states).unsqueeze(1), .unit = "1"};
  return sample;
}

/// Axes of space in [batch, channel, (z, y,) x].
static std::vector<std::int64_t> axes_of_space(const Tensor& values)
{
  std::vector<std::int64_t> axes(static_cast<std::size_t>(values.dim() - 2));
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

Tensor to_modes(const Tensor& values)
{
  return torch::fft::rfftn(values, c10::nullopt, axes_of_space(values), "forward");
}

Tensor from_modes(const Tensor& modes, const Grid& grid)
{
  return torch::fft::irfftn(modes, grid.shape(), axes_of_space(modes), "forward");
}

Tensor apply_per_mode(const Tensor& matrix, const Tensor& modes)
{
  return (matrix.unsqueeze(0) * modes.unsqueeze(1)).sum(2);
}

Tensor nonlinear_part(const PeriodicEquation& equation, const FourierForm& form, const Tensor& modes, const Grid& grid)
{
  Tensor expanded = apply_per_mode(form.expand, modes);
  if (form.mean.defined()) expanded = expanded + form.mean;
  const auto products = equation.multiply(from_modes(expanded, grid).unbind(1));
  Tensor result = apply_per_mode(form.contract, to_modes(torch::stack(products, 1)));
  if (form.forcing.defined()) result = result + form.forcing;
  return result;
}

std::vector<DiagnosticField> PeriodicEquation::diagnostics(const Grid&) const { return {}; }

Sample with_diagnostics(const PeriodicEquation& equation, const Sample& state)
{
  Sample all = state;
  const Tensor modes = to_modes(stack_channels(state, equation.state()));
  for (const DiagnosticField& field : equation.diagnostics(state.grid())) {
    Tensor own = torch::zeros_like(modes.select(1, 0));
    if (field.expand.defined()) own = own + apply_per_mode(field.expand.unsqueeze(0), modes).squeeze(1);
    if (field.mean.defined()) own = own + field.mean;
    all.fields[field.name] = {.values = from_modes(own.unsqueeze(1), state.grid()), .unit = "1"};
  }
  return all;
}

Tensor PeriodicEquation::tendency(const Tensor& state, const Grid& grid) const
{
  const FourierForm own = form(grid);
  std::vector<std::int64_t> expected = {state.size(0), own.linear.size(0)};
  for (const auto points : grid.shape()) expected.push_back(points);
  if (state.sizes() != torch::IntArrayRef(expected))
    throw ShapeError({.doing = fmt::format("computing the tendency of equation {}", name()),
                      .where = "the state",
                      .found = to_string(state.sizes()),
                      .expected = fmt::format("{}, [batch, channel, (z, y,) x]", to_string(expected)),
                      .advice = ""});
  const Tensor modes = to_modes(state);
  return from_modes(apply_per_mode(own.linear, modes) + nonlinear_part(*this, own, modes, grid), grid);
}

}  // namespace locum::physics

#include "unsteady_channel_flow.hpp"

#include <locum/core/error.hpp>
#include <locum/core/options.hpp>

#include <cmath>
#include <numbers>

#include "../requirements.hpp"
#include "staggered_flow.hpp"

namespace locum::physics {

using namespace staggered;

static ChannelFlowOptions with_one_obstacle(const UnsteadyChannelFlowOptions& options)
{
  ChannelFlowOptions channel;
  channel.length = options.length;
  channel.height = options.height;
  channel.viscosity = options.viscosity;
  channel.velocity = options.velocity;
  channel.inflow = options.inflow;
  channel.shapes = {name_of(options.shape)};
  channel.sizes = {options.size, options.size};
  channel.places = {options.x, options.x};
  channel.gap = 0;
  return channel;
}

UnsteadyChannelFlow::UnsteadyChannelFlow(UnsteadyChannelFlowOptions options)
    : options_(options), channel_(with_one_obstacle(options))
{
  require_not_negative(name(), {{"perturbation", options.perturbation}});
  if (!(options.y > options.size / 2 && options.y + options.size / 2 < options.height))
    throw OptionError({.doing = "setting up equation unsteady_channel_flow",
                       .where = "y",
                       .found = std::to_string(options.y),
                       .expected = "an obstacle between the walls",
                       .advice = ""});
}

Tensor UnsteadyChannelFlow::coefficients(const Grid& grid) const
{
  const Obstacle obstacle{.shape = options_.shape, .x = options_.x, .y = options_.y, .size = options_.size};
  return channel_.coefficients(channel_.problem(grid, obstacle))[0];
}

namespace {

/// The faces' differences of a potential, ∂φ/∂x on east faces and ∂φ/∂y on north ones, zero where they are closed; φ is
/// zero at the outlet, half a cell beyond the last.
Tensor gradient(const Tensor& k, const Tensor& potential, const Grid& grid)
{
  const Tensor padded = torch::constant_pad_nd(potential, {0, 1, 0, 1});
  const auto ny = potential.size(1), nx = potential.size(2);
  const Tensor here = potential, east = padded.narrow(1, 0, ny).narrow(2, 1, nx),
               north = padded.narrow(1, 1, ny).narrow(2, 0, nx);
  const Tensor along_x = (east - here - k[outlet] * here) * k[east_open] / grid.axes[1].spacing;
  const Tensor along_y = (north - here) * k[north_open] / grid.axes[0].spacing;
  return torch::stack({along_x, along_y}, 1);
}

/// Outflow of each cell, 1/s, where it is balanced.
Tensor divergence(const Tensor& k, const Tensor& faces, const Grid& grid)
{
  const Tensor u = faces.select(1, 0) * k[east_open], v = faces.select(1, 1) * k[north_open];
  const Tensor west = torch::constant_pad_nd(u.narrow(2, 0, u.size(2) - 1), {1, 0});
  const Tensor south = torch::constant_pad_nd(v.narrow(1, 0, v.size(1) - 1), {0, 0, 1, 0});
  return ((u - west) / grid.axes[1].spacing + (v - south) / grid.axes[0].spacing) * k[balanced];
}

/// φ with D G φ = `source` in every member, by conjugate gradients for −D G.
Tensor solve_for_potential(const Tensor& k, const Tensor& source, const Grid& grid)
{
  const auto dot = [](const Tensor& a, const Tensor& b) { return (a * b).sum({1, 2}, true); };
  const auto apply = [&](const Tensor& phi) { return -divergence(k, gradient(k, phi, grid), grid); };
  Tensor phi = torch::zeros_like(source), left = -source, direction = left.clone();
  Tensor squared = dot(left, left);
  const Tensor enough = squared * 1e-28;
  for (std::int64_t i = 0; i < source[0].numel() && (squared > enough).any().item<bool>(); ++i) {
    const Tensor image = apply(direction);
    const Tensor length = squared / dot(direction, image).clamp_min(1e-300);
    phi = phi + length * direction;
    left = left - length * image;
    const Tensor next = dot(left, left);
    direction = left + next / squared.clamp_min(1e-300) * direction;
    squared = next;
  }
  return phi;
}

Tensor project_numbers(const Tensor& k, const Tensor& velocity, const Grid& grid)
{
  const Tensor open = torch::stack({k[east_open], k[north_open]});
  const Tensor potential = solve_for_potential(k, divergence(k, velocity, grid), grid);
  return velocity * open - gradient(k, potential, grid);
}

/// P = 1 − W Dᵀ (D W Dᵀ)⁻¹ D is a projection, W doubling the outlet's faces (half a cell each): Pᵀ = W⁻¹ P W.
struct Projection : torch::autograd::Function<Projection> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& velocity, const Tensor& k,
                        const Grid& grid)
  {
    context->save_for_backward({k});
    context->saved_data["hy"] = grid.axes[0].spacing;
    context->saved_data["hx"] = grid.axes[1].spacing;
    return project_numbers(k, velocity, grid);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients)
  {
    const Tensor k = context->get_saved_variables()[0];
    Grid grid{{Axis{.name = "y"}, Axis{.name = "x"}}};
    grid.axes[0].spacing = context->saved_data["hy"].toDouble();
    grid.axes[1].spacing = context->saved_data["hx"].toDouble();
    const Tensor weight = torch::stack({1 + k[outlet], torch::ones_like(k[outlet])});
    return {project(k, gradients[0] * weight, grid) / weight, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor project(const Tensor& k, const Tensor& velocity, const Grid& grid)
{
  return Projection::apply(velocity, k, grid);
}

Tensor UnsteadyChannelFlow::tendency(const Tensor& state, const Grid& grid) const
{
  const Tensor k = coefficients(grid).to(state.options());
  if (state.dim() != 4 || state.size(1) != 2 || state.size(2) != k.size(1) || state.size(3) != k.size(2))
    throw ShapeError({.doing = "evaluating unsteady_channel_flow",
                      .where = "its state",
                      .found = to_string(state.sizes()),
                      .expected = "[batch, 2, y, x] on its grid",
                      .advice = ""});
  const Tensor open = torch::stack({k[east_open], k[north_open]});
  const Tensor unknowns = torch::cat({state * open, torch::zeros_like(state.narrow(1, 0, 1))}, 1);
  const Tensor left = staggered_residual(k.unsqueeze(0), unknowns, grid);
  return project(k, -left.narrow(1, 0, 2) * open, grid);
}

Sample UnsteadyChannelFlow::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const Tensor k = coefficients(grid);
  const Tensor y = grid.coordinates(0).unsqueeze(1) + grid.axes[0].spacing / 2, x = grid.coordinates(1);
  const double scale = 4 * options_.size, pi = std::numbers::pi;
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    // Waves of a stream function at the corners of cells, from the obstacle's size to four of them.
    constexpr std::int64_t waves = 16;
    const Tensor numbers = random.uniform({waves, 3});
    Tensor stream = torch::zeros({grid.axes[0].points, grid.axes[1].points}, torch::kFloat64);
    for (std::int64_t w = 0; w < waves; ++w) {
      const double angle = 2 * pi * numbers[w][0].item<double>(), phase = 2 * pi * numbers[w][1].item<double>();
      const double number = 2 * pi / scale * std::pow(4, numbers[w][2].item<double>());
      const double height = options_.perturbation * options_.velocity / number / std::sqrt(double(waves) / 2);
      stream = stream + height * (number * (std::cos(angle) * x + std::sin(angle) * y) + phase).cos();
    }
    // Velocities along it: without divergence but at walls and obstacle.
    const Tensor padded = torch::constant_pad_nd(stream, {1, 0, 1, 0});
    const auto ny = stream.size(0), nx = stream.size(1);
    const Tensor below = padded.narrow(0, 0, ny).narrow(1, 1, nx), before = padded.narrow(0, 1, ny).narrow(1, 0, nx);
    const Tensor along_x = (stream - below) / grid.axes[0].spacing, along_y = (before - stream) / grid.axes[1].spacing;
    // The inlet's profile goes on through the channel; the projection leads it round the obstacle.
    states.push_back(torch::stack({k[inflow].select(1, 0).unsqueeze(1) + along_x, along_y}));
  }
  Sample made{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  Tensor velocity = torch::stack(states);
  const Tensor entering = k[inflow].unsqueeze(0) / grid.axes[1].spacing;  // what each cell gets from outside, 1/s
  const Tensor open = torch::stack({k[east_open], k[north_open]});
  const Tensor source = divergence(k, velocity, grid) - entering * k[balanced];
  velocity = velocity * open - gradient(k, solve_for_potential(k, source, grid), grid);
  made.fields["velocity"] = {.values = velocity, .unit = "m s-1"};
  return made;
}

}  // namespace locum::physics

#include "incompressible_flow.hpp"

#include <locum/core/error.hpp>

#include "staggered_flow.hpp"

namespace locum::physics {

using namespace staggered;

namespace {

/// Where there is fluid: the cells of one member, and what lies beyond the grid.
class Cells {
 public:
  Cells(const Tensor& fluid, bool channel)
      : fluid_(fluid.accessor<bool, 2>()), ny_(fluid.size(0)), nx_(fluid.size(1)), channel_(channel)
  {
  }

  bool fluid(std::int64_t j, std::int64_t i) const
  {
    if (j < 0 || j >= ny_) return false;
    if (i < 0 || i >= nx_) {
      if (!channel_) return false;
      i = i < 0 ? 0 : nx_ - 1;  // beyond inlet and outlet as before them
    }
    return fluid_[j][i];
  }
  /// Whether flow crosses the face.
  bool east_open(std::int64_t j, std::int64_t i) const { return fluid(j, i) && fluid(j, i + 1); }
  bool north_open(std::int64_t j, std::int64_t i) const { return fluid(j, i) && fluid(j + 1, i); }
  /// A cell whose faces are all closed holds no flow.
  bool balanced(std::int64_t j, std::int64_t i) const
  {
    return east_open(j, i) || east_open(j, i - 1) || north_open(j, i) || north_open(j - 1, i);
  }

 private:
  torch::TensorAccessor<bool, 2> fluid_;
  std::int64_t ny_, nx_;
  bool channel_;
};

/// What a face sees beyond its neighbour's place: the neighbour, its own mirror image behind a wall half a cell away
/// (if there are solid cells on both sides of the neighbour), or the zero of a wall's end.
struct Beyond {
  double neighbour = 0, itself = 0;
};

Beyond beyond(bool first_fluid, bool second_fluid)
{
  if (first_fluid && second_fluid) return {.neighbour = 1, .itself = 0};
  if (!first_fluid && !second_fluid) return {.neighbour = 0, .itself = -1};
  return {};
}

void fill(torch::TensorAccessor<double, 3> k, const Cells& cells, const FlowBounds& bounds, double nu)
{
  const auto ny = k.size(1), nx = k.size(2);
  for (std::int64_t j = 0; j < ny; ++j)
    for (std::int64_t i = 0; i < nx; ++i) {
      const auto set = [&](Coefficient name, double value) { k[name][j][i] = value; };
      const bool at_inlet = bounds.channel && i == 0, at_outlet = bounds.channel && i == nx - 1;
      const auto inflow_at = [&](std::int64_t row) {
        return at_inlet && cells.fluid(row, 0) ? bounds.inflow[static_cast<std::size_t>(row)] : 0.0;
      };
      set(east_open, cells.east_open(j, i));
      set(north_open, cells.north_open(j, i));
      set(balanced, cells.balanced(j, i));
      set(outlet, at_outlet);
      set(inflow, inflow_at(j));
      set(inflow_north, inflow_at(j + 1));
      const Beyond north = beyond(cells.fluid(j + 1, i), cells.fluid(j + 1, i + 1));
      const Beyond south = beyond(cells.fluid(j - 1, i), cells.fluid(j - 1, i + 1));
      set(u_from_north, north.neighbour);
      set(u_beyond_north, north.itself);
      set(u_wall_north, j == ny - 1 ? 2 * bounds.lid : 0);
      set(u_from_south, south.neighbour);
      set(u_beyond_south, south.itself);
      // Nothing changes beyond the outlet, and flow enters along x.
      const Beyond east = at_outlet ? Beyond{.neighbour = 0, .itself = 1}
                                    : beyond(cells.fluid(j, i + 1), cells.fluid(j + 1, i + 1));
      const Beyond west = at_inlet ? Beyond{.neighbour = 0, .itself = -1}
                                   : beyond(cells.fluid(j, i - 1), cells.fluid(j + 1, i - 1));
      set(v_from_east, east.neighbour);
      set(v_beyond_east, east.itself);
      set(v_from_west, west.neighbour);
      set(v_beyond_west, west.itself);
      set(viscosity, nu);
    }
}

/// The cell whose pressure stands for the level that a flow without an outlet leaves open.
std::pair<std::int64_t, std::int64_t> pinned_cell(const Tensor& balanced_cells)
{
  const Tensor all = balanced_cells.nonzero();
  if (all.size(0) == 0)
    throw DataError({.doing = "reading a flow problem",
                     .where = "its geometry",
                     .found = "no fluid",
                     .expected = "cells that fluid flows through",
                     .advice = ""});
  return {all[0][0].item<std::int64_t>(), all[0][1].item<std::int64_t>()};
}

}  // namespace

Tensor IncompressibleFlow::coefficients(const Sample& problem) const
{
  const Tensor where = fluid(problem), nu = viscosity(problem);
  const FlowBounds around = bounds(problem.grid());
  const auto members = where.size(0), ny = where.size(1), nx = where.size(2);
  const Tensor k = torch::zeros({members, staggered::coefficients, ny, nx}, torch::kFloat64);
  for (std::int64_t m = 0; m < members; ++m) {
    const Tensor mask = where[m].contiguous(), its_own = k[m];
    fill(its_own.accessor<double, 3>(), Cells(mask, around.channel), around, nu[m].item<double>());
    if (around.channel) continue;
    const auto [j, i] = pinned_cell(its_own[balanced]);
    its_own[balanced][j][i] = 0;
  }
  return k;
}

/// What is left of the equations of all cells, [batch, component, y, x].
static Tensor residual_of(const Tensor& k, const Tensor& unknowns, const Grid& grid)
{
  const auto ny = unknowns.size(2), nx = unknowns.size(3);
  const Tensor padded = torch::constant_pad_nd(unknowns, {1, 1, 1, 1});
  std::array<Tensor, neighbours> seen;
  for (int n = 0; n < neighbours; ++n)
    seen[n] = padded.select(1, places[n].component).narrow(1, 1 + places[n].dy, ny).narrow(2, 1 + places[n].dx, nx);
  std::array<Tensor, staggered::coefficients> weights;
  for (int c = 0; c < staggered::coefficients; ++c) weights[c] = k.select(1, c);
  const auto left = staggered::residual(seen.data(), weights.data(), grid.axes[1].spacing, grid.axes[0].spacing);
  return torch::stack({left[0], left[1], left[2]}, 1);
}

/// 1 where an unknown is sought, [batch, component, y, x].
static Tensor sought(const Tensor& k)
{
  return torch::stack({k.select(1, east_open), k.select(1, north_open), k.select(1, balanced)}, 1);
}

Tensor IncompressibleFlow::unknowns(const Sample& problem, const Sample& solution) const
{
  const Tensor k = coefficients(problem);
  Tensor level = solution.field("pressure").values.to(torch::kFloat64);
  if (!bounds(problem.grid()).channel) {  // only differences matter
    std::vector<Tensor> levels;
    for (std::int64_t m = 0; m < k.size(0); ++m) {
      // The pinned cell is the only one with open faces where mass is not balanced.
      const Tensor open = (k[m][east_open] + k[m][north_open] > 0).logical_and(k[m][balanced] == 0);
      const auto [j, i] = pinned_cell(open);
      levels.push_back(level[m][0][j][i]);
    }
    level = level - torch::stack(levels).reshape({-1, 1, 1, 1});
  }
  Tensor faces;
  const auto own = solution.fields.find("face_velocity");
  if (own != solution.fields.end()) faces = own->second.values.to(torch::kFloat64);
  else {
    const Tensor centres = solution.field("velocity").values.to(torch::kFloat64);
    const Tensor along_x = torch::replication_pad2d(centres.narrow(1, 0, 1), {0, 1, 0, 0});
    const Tensor along_y = torch::replication_pad2d(centres.narrow(1, 1, 1), {0, 0, 0, 1});
    const auto ny = centres.size(2), nx = centres.size(3);
    faces = 0.5 * torch::cat({along_x.narrow(3, 0, nx) + along_x.narrow(3, 1, nx),
                              along_y.narrow(2, 0, ny) + along_y.narrow(2, 1, ny)},
                             1);
  }
  return torch::cat({faces, level}, 1) * sought(k);
}

Tensor IncompressibleFlow::residual(const Sample& problem, const Sample& solution) const
{
  const Tensor k = coefficients(problem);
  return residual_of(k, unknowns(problem, solution), problem.grid()) * sought(k);
}

Tensor IncompressibleFlow::forcing(const Sample& problem) const
{
  const Tensor k = coefficients(problem);
  const Tensor at_rest = torch::zeros({k.size(0), components, k.size(2), k.size(3)}, torch::kFloat64);
  return -residual_of(k, at_rest, problem.grid());
}

Sample IncompressibleFlow::solution(const Sample& problem, const Tensor& unknowns) const
{
  const Tensor k = coefficients(problem);
  const Tensor u = unknowns.select(1, along_x), v = unknowns.select(1, along_y);
  const Tensor west = torch::constant_pad_nd(u.narrow(2, 0, u.size(2) - 1), {1, 0}) + k.select(1, inflow);
  const Tensor south = torch::constant_pad_nd(v.narrow(1, 0, v.size(1) - 1), {0, 0, 1, 0});
  Tensor level = unknowns.select(1, pressure);
  if (!bounds(problem.grid()).channel) {
    const Tensor inside = fluid(problem).to(torch::kFloat64);
    level = (level - (level * inside).sum({1, 2}, true) / inside.sum({1, 2}, true)) * inside;
  }
  Sample found{.domain = problem.domain, .fields = {}, .scalars = {}, .time = problem.time};
  found.fields["velocity"] = {.values = torch::stack({(u + west) / 2, (v + south) / 2}, 1), .unit = "m s-1"};
  found.fields["pressure"] = {.values = level.unsqueeze(1), .unit = "m2 s-2"};
  found.fields["face_velocity"] = {.values = torch::stack({u, v}, 1), .unit = "m s-1"};
  return found;
}

}  // namespace locum::physics

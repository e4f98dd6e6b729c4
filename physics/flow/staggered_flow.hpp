#pragma once
#include <array>

namespace locum::physics {

/// Steady incompressible flow on a staggered grid of equal cells, the equations of one cell.
///
/// A cell holds the pressure at its centre, the velocity along x in the middle of its east face and that along y in the
/// middle of its north face. Momentum is balanced about those faces by central differences, mass in the cell: second
/// order, no spurious pressures, and momentum and mass are conserved to rounding. Source: Harlow & Welch, Phys. Fluids
/// 8 (1965).
namespace staggered {

/// The values that a cell's equations depend on, by where they are seen from it.
enum Neighbour {
  u,
  u_west,
  u_east,
  u_south,
  u_north,
  u_north_west,
  v,
  v_west,
  v_east,
  v_south,
  v_north,
  v_south_east,
  p,
  p_east,
  p_north,
  neighbours
};

/// Unknowns of a cell, in the order in which tensors and vectors have them.
enum Component { along_x, along_y, pressure, components };

struct Place {
  Component component;
  int dy, dx;
};
/// Which cell's which unknown each Neighbour is.
constexpr std::array<Place, neighbours> places = {{{along_x, 0, 0},
                                                   {along_x, 0, -1},
                                                   {along_x, 0, 1},
                                                   {along_x, -1, 0},
                                                   {along_x, 1, 0},
                                                   {along_x, 1, -1},
                                                   {along_y, 0, 0},
                                                   {along_y, 0, -1},
                                                   {along_y, 0, 1},
                                                   {along_y, -1, 0},
                                                   {along_y, 1, 0},
                                                   {along_y, -1, 1},
                                                   {pressure, 0, 0},
                                                   {pressure, 0, 1},
                                                   {pressure, 1, 0}}};

/// What walls, obstacles, inlet and outlet make of a cell's equations. Beyond a wall half a cell away a velocity is
/// minus itself, on a wall it is zero: a neighbour's value is (weight of the neighbour) · neighbour + (weight of the
/// face itself) · face (+ what a moving wall adds).
enum Coefficient {
  east_open,      ///< 1: the velocity on the east face is sought; 0: it is zero.
  north_open,     ///< The same of the north face.
  balanced,       ///< 1: mass is balanced in this cell; 0: its pressure is zero (solid, or where pressure is pinned).
  outlet,         ///< 1: the east face is the outlet, where the pressure is zero and nothing changes along x.
  inflow,         ///< Velocity given on the west face, m/s.
  inflow_north,   ///< That of the cell to the north.
  u_from_north,   ///< Neighbours of the velocity along x …
  u_beyond_north,
  u_wall_north,   ///< Twice the velocity of a wall, m/s.
  u_from_south,
  u_beyond_south,
  v_from_east,    ///< … and of that along y.
  v_beyond_east,
  v_from_west,
  v_beyond_west,
  viscosity,      ///< ν, m²/s
  coefficients
};

/// What is left of the three equations of a cell: momentum along x and y, m/s², and mass, 1/s; of a face or pressure
/// that is not sought, the value itself.
///
/// Written once for numbers (the solver's residual), numbers with derivatives (its Jacobian) and tensors of all cells.
/// @param w       by Neighbour; zero beyond the grid
/// @param k       by Coefficient
/// @param hx, hy  sides of a cell, m
template <class Value, class Number>
std::array<Value, components> residual(const Value* w, const Number* k, double hx, double hy)
{
  const auto squared = [](const Value& a) { return a * a; };

  // Along x, about the east face.
  const Value west = w[u_west] + k[inflow];
  const Value east = w[u_east] + k[outlet] * (w[u] - w[u_east]);
  const Value north = k[u_from_north] * w[u_north] + k[u_beyond_north] * w[u] + k[u_wall_north];
  const Value south = k[u_from_south] * w[u_south] + k[u_beyond_south] * w[u];
  const Value rise_north = w[v] + w[v_east] + k[outlet] * (w[v] - w[v_east]);
  const Value rise_south = w[v_south] + w[v_south_east] + k[outlet] * (w[v_south] - w[v_south_east]);
  const Value pressure_east = w[p_east] - k[outlet] * (w[p] + w[p_east]);
  const Value x_momentum =
      (squared(w[u] + east) - squared(west + w[u])) * (0.25 / hx) +
      (rise_north * (w[u] + north) - rise_south * (w[u] + south)) * (0.25 / hy) + (pressure_east - w[p]) * (1 / hx) -
      k[viscosity] * ((east - w[u] - w[u] + west) * (1 / (hx * hx)) + (north - w[u] - w[u] + south) * (1 / (hy * hy)));

  // Along y, about the north face.
  const Value v_right = k[v_from_east] * w[v_east] + k[v_beyond_east] * w[v];
  const Value v_left = k[v_from_west] * w[v_west] + k[v_beyond_west] * w[v];
  const Value drift_east = w[u] + w[u_north];
  const Value drift_west = west + w[u_north_west] + k[inflow_north];
  const Value y_momentum =
      (drift_east * (w[v] + v_right) - drift_west * (w[v] + v_left)) * (0.25 / hx) +
      (squared(w[v] + w[v_north]) - squared(w[v_south] + w[v])) * (0.25 / hy) + (w[p_north] - w[p]) * (1 / hy) -
      k[viscosity] *
          ((v_right - w[v] - w[v] + v_left) * (1 / (hx * hx)) + (w[v_north] - w[v] - w[v] + w[v_south]) * (1 / (hy * hy)));

  const Value mass = (w[u] - west) * (1 / hx) + (w[v] - w[v_south]) * (1 / hy);
  return {w[u] + k[east_open] * (x_momentum - w[u]), w[v] + k[north_open] * (y_momentum - w[v]),
          w[p] + k[balanced] * (mass - w[p])};
}

}  // namespace staggered

}  // namespace locum::physics

#pragma once
#include "layout.hpp"

namespace locum::io {

/// Whether the file has PDEBench's arrays: x-coordinate, a group for each sample with data and grid, or the
/// incompressible flow's velocity, particles and force.
bool is_pdebench(const hdf5::FileHandle& file, const hdf5::Task& task);

/// PDEBench's layouts (Takamoto et al., NeurIPS 2022; https://github.com/pdebench/PDEBench):
/// - one equation, one array: tensor [sample, step, x], coordinates x-coordinate, t-coordinate;
/// - Darcy: tensor [sample, 1, x, y] (the solution), nu [sample, x, y] (the permeability);
/// - compressible flow: density, pressure, Vx, Vy, Vz [sample, step, x, (y, z)];
/// - diffusion–sorption, diffusion–reaction, shallow water: a group for each sample with data [step, x, (y,) component]
///   and grid/x, grid/y, grid/t; the first sample's grid is taken for all;
/// - incompressible flow: velocity, particles [sample, step, x, y, component], force [sample, x, y, component],
///   t [sample, step].
/// Numbers among the root's attributes are scalars (beta, Nu, eta, zeta, M). t-coordinate has one entry too many in
/// their files: as many are taken as there are steps.
/// @throws DataError  if an array has other axes than these.
Layout pdebench_layout(const hdf5::FileHandle& file, const hdf5::Task& task);

}  // namespace locum::io

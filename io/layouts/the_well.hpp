#pragma once
#include "layout.hpp"

namespace locum::io {

/// Whether the file has The Well's groups.
bool is_the_well(const hdf5::FileHandle& file, const hdf5::Task& task);

/// The Well's layout (Ohana et al., NeurIPS 2024; https://polymathic-ai.org/the_well/data_format): groups t0_fields,
/// t1_fields and t2_fields, dimensions, boundary_conditions and scalars. Field = [sample, step, axes of the grid…,
/// components…]; sample, step and each axis of the grid are there only if attributes sample_varying, time_varying and
/// dim_varying say so, and what does not vary is repeated. Corners its own writer has: booleans are an enumeration, an
/// empty list is an attribute of no numbers, associated_dims may be one string, a dimension may lack time_varying,
/// components of a tensor may be [D, D], [D²], or the D (D + 1)/2 of a symmetric one. Attribute `units` of a field,
/// scalar or dimension is its unit. A mask of boundary condition NAME that varies in space is offered as field
/// boundary_NAME.
/// @throws DataError  if groups or attributes are missing.
Layout the_well_layout(const hdf5::FileHandle& file, const hdf5::Task& task);

}  // namespace locum::io

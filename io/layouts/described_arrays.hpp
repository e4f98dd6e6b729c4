#pragma once
#include "../datasets/dataset.hpp"
#include "layout.hpp"

namespace locum::io {

/// A file whose arrays, and their axes, are described in the case: [data.fields.NAME], [data.parameters.NAME] and
/// [data.axes.NAME]. The first axis named anything but sample, time and component is the slowest axis of space.
/// @throws OptionError  naming the option whose axes do not fit the array.
Layout described_layout(const hdf5::FileHandle& file, const DatasetOptions& options, const hdf5::Task& task);

/// What [data.axes] says of a layout's axes, or of its times ("time").
/// @throws OptionError  naming an axis there is not, or coordinates that do not fit it.
void amend_axes(Layout& layout, const std::map<std::string, AxisOptions>& axes, const hdf5::FileHandle& file,
                const hdf5::Task& task);

}  // namespace locum::io

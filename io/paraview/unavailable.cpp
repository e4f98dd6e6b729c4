// Compiled instead of paraview.cpp when locum is built without VTK.
#include <locum/core/error.hpp>

#include "paraview.hpp"

namespace locum::io {

bool paraview_available() { return false; }

std::filesystem::path write_paraview(const std::filesystem::path& stem, const Sample&, std::int64_t)
{
  throw OptionError({.doing = "writing a file for ParaView",
                     .where = stem.string(),
                     .found = "a locum that was built without VTK",
                     .expected = "one built with it",
                     .advice = "apt install libvtk9-dev, then configure with -DLOCUM_VTK=ON"});
}

}  // namespace locum::io

#include <fmt/format.h>

#include <span>
#include <system_error>

#include "../atomic_file.hpp"
#include "paraview.hpp"
#include "xml_text.hpp"

namespace locum::io {

ParaviewSeries::ParaviewSeries(std::filesystem::path pvd) : pvd_(std::move(pvd)) {}

void ParaviewSeries::add(double time, const Sample& sample, std::int64_t member)
{
  const auto folder = std::filesystem::path(pvd_).replace_extension();
  std::error_code reason;
  std::filesystem::create_directory(folder, reason);
  if (reason) throw system_error("writing a time series for ParaView", folder, reason.value());
  const auto stem = folder / fmt::format("{}_{:04}", folder.filename().string(), files_.size());
  files_.emplace_back(time, folder.filename() / write_paraview(stem, sample, member).filename());

  std::string xml = "<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"0.1\">\n<Collection>\n";
  for (const auto& [when, file] : files_)
    xml += fmt::format("<DataSet timestep=\"{}\" part=\"0\" file=\"{}\"/>\n", when, xml_text(file.string()));
  xml += "</Collection>\n</VTKFile>\n";
  write_atomically(pvd_, std::as_bytes(std::span(xml)));
}

}  // namespace locum::io

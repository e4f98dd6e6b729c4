#include "windows.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace locum::io {

std::string name_at(const std::string& field, std::int64_t step)
{
  return step == 0 ? field : fmt::format("{}@{:+}", field, step);
}

std::pair<std::string, std::int64_t> field_and_step(const std::string& name)
{
  const auto at = name.rfind('@');
  if (at == std::string::npos || at + 2 >= name.size() || (name[at + 1] != '+' && name[at + 1] != '-'))
    return {name, 0};
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data() + at + 2, name.data() + name.size(), step);
  if (error != std::errc{} || end != name.data() + name.size()) return {name, 0};
  return {name.substr(0, at), name[at + 1] == '-' ? -step : step};
}

std::vector<std::string> Windows::names(const Dataset& dataset, const std::vector<std::string>& fields,
                                        std::int64_t from, std::int64_t to)
{
  std::vector<std::string> names;
  for (const std::string& field : fields) {
    if (!dataset.describe(field).time_varying) names.push_back(field);
    else
      for (std::int64_t step = from; step <= to; ++step) names.push_back(name_at(field, step));
  }
  return names;
}

std::vector<Windows::Term> Windows::terms_of(const std::vector<std::string>& names) const
{
  std::vector<std::string> known;
  for (const auto& list : {dataset_.fields(), dataset_.scalars()})
    for (const FieldDescription& field : list) known.push_back(field.name);
  std::vector<Term> terms;
  for (const std::string& name : names) {
    Term term{.name = name, .field = name, .step = 0, .description = {}};
    if (std::find(known.begin(), known.end(), name) == known.end())
      std::tie(term.field, term.step) = field_and_step(name);
    term.description = dataset_.describe(term.field);
    terms.push_back(std::move(term));
  }
  return terms;
}

Windows::Windows(const Dataset& dataset, std::vector<std::string> inputs, std::vector<std::string> outputs,
                 std::int64_t stride)
    : dataset_(dataset), stride_(stride), inputs_(terms_of(inputs)), outputs_(terms_of(outputs))
{
  for (const auto* terms : {&inputs_, &outputs_})
    for (const Term& term : *terms) {
      if (std::find(together_.begin(), together_.end(), term.field) == together_.end()) together_.push_back(term.field);
      if (!term.description.time_varying) continue;
      earliest_ = std::min(earliest_, term.step * stride_);
      latest_ = std::max(latest_, term.step * stride_);
    }
  if (length() > dataset_.steps())
    throw OptionError({.doing = "choosing windows in time",
                       .where = "data.history, data.horizon, data.stride",
                       .found = fmt::format("windows of {} steps", length()),
                       .expected = fmt::format("at most {}, as {} has", dataset_.steps(), dataset_.file().string()),
                       .advice = "a smaller stride or horizon"});
  const auto points = shape_of(dataset_.domain(together_));
  std::int64_t values = 1;
  for (const auto n : points) values *= n;
  const auto bytes = [&](const std::string& field) {
    return dataset_.describe(field).components * values * (dataset_.type(field) == torch::kFloat32 ? 4 : 8);
  };
  for (const std::string& field : together_)
    (dataset_.describe(field).time_varying ? bytes_a_step_ : bytes_constant_) += bytes(field);
  for (const auto* terms : {&inputs_, &outputs_})
    for (const Term& term : *terms) bytes_a_window_ += bytes(term.field);
}

Windows::Range Windows::all() const
{
  const bool evolves = bytes_a_step_ > 0;
  return {.first_trajectory = 0,
          .trajectories = dataset_.size(),
          .first_window = 0,
          .windows = evolves ? dataset_.steps() - length() + 1 : 1};
}

std::vector<Channel> Windows::channels_of(const std::vector<Term>& terms)
{
  std::vector<Channel> channels;
  for (const Term& term : terms)
    for (std::int64_t component = 0; component < term.description.components; ++component)
      channels.push_back({.field = term.name, .component = component, .unit = term.description.unit});
  return channels;
}

/// `wanted` or less, so that ranges end where chunks do; a chunk if that is more, but at most `most`.
static std::int64_t whole_chunks(std::int64_t wanted, std::int64_t chunk, std::int64_t most)
{
  wanted = std::clamp<std::int64_t>(wanted, 1, most);
  return wanted >= chunk ? wanted - wanted % chunk : std::min(chunk, most);
}

std::vector<Windows::Range> Windows::cut(const Range& range, std::int64_t bytes) const
{
  std::int64_t chunk_samples = 1, chunk_steps = 1;
  for (const std::string& field : together_) {
    chunk_samples = std::max(chunk_samples, dataset_.chunk_samples(field));
    chunk_steps = std::max(chunk_steps, dataset_.chunk_steps(field));
  }
  const std::int64_t steps = range.windows + length() - 1;
  const std::int64_t trajectory = bytes_constant_ + steps * bytes_a_step_;
  std::int64_t trajectories_each = 1, windows_each = range.windows;
  if (trajectory <= bytes) {
    trajectories_each = whole_chunks(bytes / std::max<std::int64_t>(1, trajectory), chunk_samples,
                                     std::max<std::int64_t>(1, 4 * bytes / std::max<std::int64_t>(1, trajectory)));
  } else if (bytes_a_step_ > 0) {
    windows_each = whole_chunks(bytes / bytes_a_step_, chunk_steps, range.windows);
  }

  std::vector<Range> blocks;
  for (std::int64_t t = 0; t < range.trajectories; t += trajectories_each)
    for (std::int64_t w = 0; w < range.windows; w += windows_each)
      blocks.push_back({.first_trajectory = range.first_trajectory + t,
                        .trajectories = std::min(trajectories_each, range.trajectories - t),
                        .first_window = range.first_window + w,
                        .windows = std::min(windows_each, range.windows - w)});
  return blocks;
}

/// Memory for values of that shape and type: that of `old`, if nobody else holds it.
static Tensor memory_for(const std::vector<std::int64_t>& shape, torch::Dtype type, const Tensor& old)
{
  const bool free =
      old.defined() && old.scalar_type() == type && old.use_count() == 1 && old.storage().use_count() == 1;
  return free ? old.resize_(shape) : torch::empty(shape, type);
}

Windows::Rows Windows::read(const std::vector<Range>& ranges, Rows old) const
{
  const auto points = shape_of(dataset_.domain(together_));
  const auto steps_of = [&](const Range& range) { return range.windows + length() - 1; };
  std::int64_t trajectories = 0, rows_evolving = 0;
  std::vector<Tensor> evolving, constant;
  for (const Range& range : ranges) {
    const Tensor trajectory = torch::arange(range.trajectories).unsqueeze(1);
    const Tensor window = torch::arange(range.windows).unsqueeze(0);
    evolving.push_back((rows_evolving - earliest_ + trajectory * steps_of(range) + window).flatten());
    constant.push_back((trajectories + trajectory + window * 0).flatten());
    trajectories += range.trajectories;
    rows_evolving += range.trajectories * steps_of(range);
  }

  struct Piece {
    const std::string& field;
    std::int64_t first, step;
    Tensor out;  // [sample, step, component, (z, y,) x]
  };
  std::vector<Piece> pieces;
  Rows rows{.fields = {}, .evolving = torch::cat(evolving), .constant = torch::cat(constant)};
  for (const std::string& field : together_) {
    const auto description = dataset_.describe(field);
    std::vector<std::int64_t> shape = {description.time_varying ? rows_evolving : trajectories, description.components};
    shape.insert(shape.end(), points.begin(), points.end());
    const Tensor values = memory_for(shape, dataset_.type(field), old.fields[field]);
    std::int64_t row = 0;
    for (const Range& range : ranges) {
      const std::int64_t steps = description.time_varying ? steps_of(range) : 1;
      const std::int64_t first_step = description.time_varying ? range.first_window : 0;
      auto block = shape;
      block[0] = steps;
      block.insert(block.begin(), range.trajectories);
      pieces.push_back(
          {field, range.first_trajectory, first_step, values.narrow(0, row, range.trajectories * steps).view(block)});
      row += range.trajectories * steps;
    }
    rows.fields[field] = values;
  }
  constexpr std::size_t ahead = 4;  // pieces the disk works on while one is copied; with one, it waits
  for (std::size_t i = 0, expected = 0; i < pieces.size(); ++i) {
    for (; expected < std::min(pieces.size(), i + 1 + ahead); ++expected) {
      const Piece& next = pieces[expected];
      dataset_.expect_steps(next.field, next.first, next.step, next.out.size(0), next.out.size(1));
    }
    dataset_.read_steps(pieces[i].field, pieces[i].first, pieces[i].step, together_, pieces[i].out);
  }
  return rows;
}

void Windows::check_finite(const Rows& rows, const std::vector<Range>& ranges, const std::string& doing) const
{
  for (const auto& [field, values] : rows.fields) {
    // A sum is finite only if all its terms are; that of many large terms may not be although they are: look again.
    if (std::isfinite(values.sum().item<double>())) continue;
    const bool varies = dataset_.describe(field).time_varying;
    std::int64_t row = 0;
    for (const Range& range : ranges) {
      const std::int64_t steps = varies ? range.windows + length() - 1 : 1;
      for (std::int64_t i = 0; i < range.trajectories * steps; ++i, ++row) {
        Sample one{.domain = Grid{}, .fields = {}, .scalars = {}, .time = 0};
        one.fields[field] = {.values = values.narrow(0, row, 1), .unit = dataset_.describe(field).unit};
        const std::int64_t step = range.first_window + i % steps;
        const std::string where = dataset_.file().string() + (varies ? fmt::format(", step {}", step) : "");
        locum::check_finite(one, doing, where, range.first_trajectory + i / steps);
      }
    }
  }
}

Tensor Windows::rows_of(const Rows& rows, const Term& term, const Tensor& chosen) const
{
  const Tensor& values = rows.fields.at(term.field);
  const Tensor now = (term.description.time_varying ? rows.evolving : rows.constant).index_select(0, chosen);
  const Tensor row = term.description.time_varying ? now + term.step * stride_ : now;
  const bool all = row.size(0) == values.size(0) && torch::equal(row, torch::arange(values.size(0)));
  return all ? values : values.index_select(0, row);
}

Batch Windows::gather(const Rows& rows, const Tensor& chosen) const
{
  const auto stacked = [&](const std::vector<Term>& terms) {
    if (terms.size() == 1) return rows_of(rows, terms.front(), chosen);
    // One after the other into its place: side by side and then together they would take twice the memory.
    const Tensor& example = rows.fields.at(terms.front().field);
    auto shape = example.sizes().vec();
    auto type = example.scalar_type();
    shape[0] = chosen.size(0);
    shape[1] = 0;
    for (const Term& term : terms) {
      const Tensor& values = rows.fields.at(term.field);
      shape[1] += values.size(1);
      type = torch::promote_types(type, values.scalar_type());
    }
    const Tensor all = torch::empty(shape, example.options().dtype(type));
    std::int64_t channel = 0;
    for (const Term& term : terms) {
      const Tensor values = rows_of(rows, term, chosen);
      all.narrow(1, channel, values.size(1)).copy_(values);
      channel += values.size(1);
    }
    return all;
  };
  return {.inputs = stacked(inputs_), .outputs = stacked(outputs_)};
}

Sample Windows::sample(const Rows& rows, const Range& range) const
{
  const Tensor chosen = torch::arange(rows.evolving.size(0));
  Sample sample{.domain = dataset_.domain(together_),
                .fields = {},
                .scalars = {},
                .time = dataset_.time(range.first_trajectory, now(range.first_window))};
  for (const auto* terms : {&inputs_, &outputs_})
    for (const Term& term : *terms)
      sample.fields[term.name] = {.values = rows_of(rows, term, chosen), .unit = term.description.unit};
  if (range.windows != 1) return sample;
  sample.scalars = dataset_.read_scalars(range.first_trajectory, range.trajectories, now(range.first_window));
  return sample;
}

}  // namespace locum::io

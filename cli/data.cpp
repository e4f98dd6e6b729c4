#include "data.hpp"

#include <locum/core/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "verbs/verbs.hpp"

namespace locum::cli {

namespace {

using Range = io::Windows::Range;

struct Split {
  std::vector<Range> training;  // in pieces, if what is held out is in their middle
  Range validation, test;
};

/// Splits windows into training, validation and test, one after the other, or backwards if the first are held out.
/// @param length  steps a window reaches over
Split split(const Case& c, const Range& all, std::int64_t length, bool test_from_train)
{
  const bool in_time = all.trajectories == 1 && all.windows > 1;
  const std::int64_t total = in_time ? all.windows : all.trajectories;
  const auto part = [&](double fraction) {
    return static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(total)));
  };
  const std::int64_t held_out = part(c.data.validation);
  const std::int64_t tested = test_from_train ? std::max<std::int64_t>(1, part(c.data.test_fraction)) : 0;
  // Windows that would share steps with those beyond are left out.
  const std::int64_t gap = in_time ? length - 1 : 0;
  const std::int64_t trained = total - (held_out > 0 ? held_out + gap : 0) - (tested > 0 ? tested + gap : 0);
  const auto range = [&](std::int64_t first, std::int64_t count) {
    if (c.data.hold_out == HoldOut::first) first = total - first - count;
    Range some = all;
    (in_time ? some.first_window : some.first_trajectory) += first;
    (in_time ? some.windows : some.trajectories) = count;
    return some;
  };
  if (c.data.fold >= 0) {
    const auto left = total - tested;
    if (in_time || left < c.data.folds)
      throw OptionError({.doing = "choosing the samples to validate with",
                         .where = "data.folds",
                         .found = in_time ? "a single trajectory" : fmt::format("{} samples to train with", left),
                         .expected = fmt::format("{} parts that have nothing in common", c.data.folds),
                         .advice = "folds = 0"});
    const auto held = io::share_of(left, static_cast<int>(c.data.fold), static_cast<int>(c.data.folds));
    Split parts{.training = {}, .validation = range(held.first, held.count), .test = range(total - tested, tested)};
    if (held.first > 0) parts.training.push_back(range(0, held.first));
    if (const auto after = held.first + held.count; after < left) parts.training.push_back(range(after, left - after));
    return parts;
  }
  if (trained < 1)
    throw OptionError({.doing = "choosing the samples to validate with",
                       .where = tested > 0 ? "data.validation, data.test_fraction" : "data.validation",
                       .found = fmt::format("{}, which {}holds out all {} {}", c.data.validation,
                                            tested > 0 ? fmt::format("with {} for testing ", tested) : "", total,
                                            in_time ? "windows in time" : "samples"),
                       .expected = "some left to train on",
                       .advice = "validation = 0.1"});
  return {.training = {range(0, trained)},
          .validation = range(total - held_out - (tested > 0 ? tested + gap : 0), held_out),
          .test = range(total - tested, tested)};
}

bool tests_on_train(const Case& c, const RunFolder& folder) { return folder.test_data(c) == folder.train_data(c); }

/// @param option  that names the file: "data.train"
std::unique_ptr<io::Dataset> open_samples(const std::filesystem::path& file, const std::string& option, const Case& c,
                                          std::int64_t samples, const std::string& doing)
{
  if (!std::filesystem::exists(file)) {
    auto fields = c.data.inputs;
    fields.insert(fields.end(), c.data.outputs.begin(), c.data.outputs.end());
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = "no such file",
                       .expected = fmt::format("an HDF5 file with {}", fmt::join(fields, ", ")),
                       .advice = fmt::format("`locum generate` first, or --set {}=FILE", option)});
  }
  auto dataset = io::open_dataset(file, c.dataset);
  if (dataset->size() == 0 || samples > dataset->size())
    throw DataError({.doing = doing,
                     .where = file.string(),
                     .found = fmt::format("{} samples", dataset->size()),
                     .expected = fmt::format("at least {}", std::max<std::int64_t>(samples, 1)),
                     .advice = samples == 0 ? "another file" : "data.samples = 0 for all there are"});
  return dataset;
}

std::int64_t bytes_of_memory(const Case& c) { return static_cast<std::int64_t>(c.data.memory * 1024 * 1024 * 1024); }

Range limited(Range all, std::int64_t samples)
{
  if (samples > 0) all.trajectories = samples;
  return all;
}

}  // namespace

TrainingData open_training_data(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  const std::string doing = "reading training samples";
  TrainingData data;
  data.dataset = open_samples(folder.train_data(c), "data.train", c, c.data.samples, doing);
  const auto inputs = io::Windows::names(*data.dataset, c.data.inputs, 1 - c.data.history, 0);
  const auto outputs = io::Windows::names(*data.dataset, c.data.outputs, std::min<std::int64_t>(1, c.data.horizon),
                                          c.data.horizon * c.training.rollout.steps);
  data.windows = std::make_unique<io::Windows>(*data.dataset, inputs, outputs, c.data.stride);
  const io::Windows& windows = *data.windows;
  data.inputs = windows.input_channels();
  data.targets = windows.output_channels();
  for (const Channel& target : data.targets)
    if (io::field_and_step(target.field).second <= c.data.horizon) data.outputs.push_back(target);
  data.domain = data.dataset->domain(windows.fields());
  data.points = shape_of(data.domain);

  Range one = windows.all();
  one.trajectories = one.windows = 1;
  Sample problem = windows.sample(windows.read({one}), one);
  for (auto& [name, field] : problem.fields) field.values = field.values.nan_to_num();  // only its grid matters
  try_model(c, problem, inputs, folder.train_data(c).string());

  const Split parts = split(c, limited(windows.all(), c.data.samples), windows.length(), tests_on_train(c, folder));
  const auto memory = bytes_of_memory(c);
  std::int64_t size = parts.validation.size();
  for (const Range& range : parts.training) size += range.size();
  data.streamed = size * windows.bytes_a_window() > memory;
  if (data.streamed && parts.training.size() > 1)
    throw OptionError({.doing = doing,
                       .where = "data.fold",
                       .found = "samples that do not fit into data.memory",
                       .expected = "all in memory: a fold in their middle is not streamed",
                       .advice = "more data.memory, or folds = 0"});
  const auto source = [&](const std::vector<Range>& ranges) -> std::unique_ptr<io::BatchSource> {
    if (data.streamed)
      return std::make_unique<io::StreamedBatches>(windows, ranges.front(), memory, c.data.mask == NotFinite::missing,
                                                   doing, ranks);
    const auto rows = windows.read(ranges);
    if (c.data.mask == NotFinite::error) windows.check_finite(rows, ranges, doing);
    return std::make_unique<io::MemoryBatches>(windows.gather(rows, torch::arange(rows.evolving.size(0))), ranks);
  };
  data.training = source(parts.training);
  data.validation = source({parts.validation});
  return data;
}

TestData::TestData(const Case& c, const RunFolder& folder, const std::vector<std::string>& fields)
    : mask_(c.data.mask), memory_(bytes_of_memory(c))
{
  const bool from_train = tests_on_train(c, folder);
  dataset_ = open_samples(folder.test_data(c), from_train ? "data.train" : "data.test", c,
                          from_train ? c.data.samples : 0, "reading test samples");
  all_ = std::make_unique<io::Windows>(*dataset_, fields, std::vector{fields.front()}, c.data.stride);
  range_ = all_->all();
  if (from_train) range_ = split(c, limited(range_, c.data.samples), all_->length(), true).test;
}

TestData::TestData(const Case& c, const std::filesystem::path& file, const std::vector<std::string>& fields)
    : mask_(c.data.mask),
      memory_(bytes_of_memory(c)),
      dataset_(open_samples(file, "data.test", c, 0, "reading test samples")),
      all_(std::make_unique<io::Windows>(*dataset_, fields, std::vector{fields.front()}, c.data.stride)),
      range_(all_->all())
{
}

std::vector<Range> TestData::pieces() const
{
  constexpr std::int64_t parts = 8;  // beside a piece: predictions, residuals, activations
  return all_->cut(range_, std::max<std::int64_t>(1, memory_ / parts));
}

double TestData::time(std::int64_t window) const
{
  return dataset_->time(range_.first_trajectory, all_->now(range_.first_window + window));
}

Sample TestData::read(const Range& range) const
{
  const auto rows = all_->read({range});
  if (mask_ == NotFinite::error) all_->check_finite(rows, {range}, "reading test samples");
  return all_->sample(rows, range);
}

Sample TestData::read(std::int64_t i) const
{
  return read({.first_trajectory = range_.first_trajectory + i / range_.windows,
               .trajectories = 1,
               .first_window = range_.first_window + i % range_.windows,
               .windows = 1});
}

std::map<std::string, Tensor> TestData::scalars() const
{
  std::map<std::string, Tensor> scalars;
  for (const auto& [name, scalar] : dataset_->read_scalars(range_.first_trajectory, range_.trajectories))
    scalars[name] = scalar.values.to(torch::kFloat64).repeat_interleave(range_.windows);
  return scalars;
}

std::vector<Sample> TestData::states(std::int64_t stride) const
{
  std::vector<Sample> states;
  for (std::int64_t step = 0; step < range_.windows; step += stride) {
    Sample state =
        dataset_->read(all_->fields(), range_.first_trajectory, range_.trajectories, range_.first_window + step);
    if (mask_ == NotFinite::error)
      check_finite(state, "reading test samples", dataset_->file().string(), range_.first_trajectory);
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace locum::cli

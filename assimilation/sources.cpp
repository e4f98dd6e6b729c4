#include "sources.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>
#include <locum/io/checkpoints/arrays.hpp>

#include <algorithm>
#include <cmath>

namespace locum::assimilation {

// ── Twin experiments ──

TwinObservations::TwinObservations(EvolvingSolver& truth, Sample start, const StateLayout& layout,
                                   std::shared_ptr<const Network> seen, std::shared_ptr<const Network> assumed,
                                   double interval, std::int64_t count, std::uint64_t seed)
    : solver_(truth),
      state_(std::move(start)),
      own_layout_(state_, layout.fields()),
      comparable_(own_layout_ == layout),
      seen_(std::move(seen)),
      assumed_(std::move(assumed)),
      start_(state_.time),
      interval_(interval),
      count_(count),
      seed_(seed)
{
}

std::string TwinObservations::description() const
{
  return fmt::format("{} observations every {} of {}", seen_->instruments->size(), interval_, solver_.description());
}

std::optional<Observations> TwinObservations::next()
{
  if (number_ >= count_) return std::nullopt;
  torch::NoGradGuard no_gradients;
  state_ = solver_.advance(state_, interval_);
  ++number_;
  const Matrix truth = own_layout_.pack(state_);
  const auto size = seen_->instruments->size();
  const Matrix error = seen_->error.colour(normal(seed_, "errors of observations", number_, 1, size));
  return Observations{.time = start_ + static_cast<double>(number_) * interval_,
                      .network = assumed_,
                      .values = (seen_->instruments->observe(truth) + error).row(0)};
}

RowVector TwinObservations::truth() const
{
  return comparable_ ? RowVector(own_layout_.pack(state_).row(0)) : RowVector();
}

void TwinObservations::save(io::Checkpoint& checkpoint) const
{
  checkpoint.put("source/number", number_);
  checkpoint.put("source/truth", as_tensor(own_layout_.pack(state_)).clone());
}

void TwinObservations::load(const io::Checkpoint& checkpoint)
{
  number_ = checkpoint.integer("source/number");
  const double time = number_ > 0 ? start_ + static_cast<double>(number_) * interval_ : start_;
  state_ = own_layout_.unpack(as_matrix(checkpoint.tensor("source/truth")), time);
}

// ── Recorded ones ──

namespace {

struct Row {
  double time = 0, value = 0, deviation = 0;
  Place place;
};

}  // namespace

RecordedObservations::RecordedObservations(const std::filesystem::path& file, const StateLayout& layout,
                                           double deviation, double start, Seen seen)
    : file_(file)
{
  const auto arrays = io::read_arrays({file, "/"});
  const std::string doing = "reading observations";
  std::vector<Row> rows;
  for (const std::string& field : layout.fields()) {
    if (std::none_of(arrays.begin(), arrays.end(), [&](const auto& a) { return a.first.starts_with(field + "/"); }))
      continue;
    std::int64_t count = -1;
    const auto array = [&](const std::string& name, bool needed) -> Tensor {
      const auto found = arrays.find(field + "/" + name);
      if (found == arrays.end() && !needed) return {};
      const std::string where = fmt::format("{}:/{}/{}", file.string(), field, name);
      if (found == arrays.end())
        throw DataError({.doing = doing,
                         .where = where,
                         .found = "no such array",
                         .expected = "a number for every observation",
                         .advice = "docs/assimilation.md has the layout"});
      const Tensor values = found->second.to(torch::kFloat64).contiguous();
      if (count < 0) count = values.numel();
      if (values.dim() != 1 || values.numel() != count)
        throw ShapeError({.doing = doing,
                          .where = where,
                          .found = to_string(values.sizes()),
                          .expected = fmt::format("[{}], as the other arrays", count),
                          .advice = ""});
      return values;
    };
    const Tensor time = array("time", true), value = array("value", true);
    const Tensor own_deviation = array("deviation", deviation <= 0), component = array("component", false);
    std::vector<Tensor> coordinates;
    for (const Axis& axis : layout.grid().axes) coordinates.push_back(array(axis.name, true));
    for (std::int64_t i = 0; i < count; ++i) {
      const auto of = [&](const Tensor& values) { return values.data_ptr<double>()[i]; };
      Row row{.time = of(time),
              .value = of(value),
              .deviation = own_deviation.defined() ? of(own_deviation) : deviation,
              .place = {.field = field,
                        .component = component.defined() ? static_cast<std::int64_t>(of(component)) : 0,
                        .position = {}}};
      for (const Tensor& coordinate : coordinates) row.place.position.push_back(of(coordinate));
      for (const auto& [name, number] : {std::pair{"value", row.value}, std::pair{"time", row.time}})
        if (!std::isfinite(number))
          throw DataError({.doing = doing,
                           .where = fmt::format("{}:/{}/{} row {}", file.string(), field, name, i),
                           .found = fmt::format("{}", number),
                           .expected = "a finite number",
                           .advice = "leave out what was not observed"});
      if (!(row.deviation > 0) || !std::isfinite(row.deviation))
        throw DataError({.doing = doing,
                         .where = fmt::format("{}:/{}/deviation row {}", file.string(), field, i),
                         .found = fmt::format("{}", row.deviation),
                         .expected = "above 0",
                         .advice = "observations.deviation, or leave it out"});
      if (row.time > start) rows.push_back(std::move(row));
    }
  }
  if (rows.empty())
    throw DataError({.doing = doing,
                     .where = file.string(),
                     .found = fmt::format("no observations after time {}", start),
                     .expected = "a group of arrays for a field of the state",
                     .advice = "docs/assimilation.md has the layout"});
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });

  std::shared_ptr<const Network> last;
  std::vector<Place> last_places;
  Vector last_deviations;
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    while (end < rows.size() && rows[end].time == rows[begin].time) ++end;
    const auto count = static_cast<Eigen::Index>(end - begin);
    std::vector<Place> places;
    Vector deviations(count);
    RowVector values(count);
    for (Eigen::Index i = 0; i < count; ++i) {
      const Row& row = rows[begin + static_cast<std::size_t>(i)];
      places.push_back(row.place);
      deviations[i] = row.deviation;
      values[i] = row.value;
    }
    const auto same = [](const Place& a, const Place& b) {
      return a.field == b.field && a.component == b.component && a.position == b.position;
    };
    const bool as_before = last && deviations.size() == last_deviations.size() && deviations == last_deviations &&
                           std::equal(places.begin(), places.end(), last_places.begin(), last_places.end(), same);
    if (!as_before) try {
        last = std::make_shared<const Network>(point_network(layout, places, ObservationError(deviations), seen));
      } catch (const DataError& error) {
        Report report = error.report();
        report.where = fmt::format("{} at time {}, {}", file.string(), rows[begin].time, report.where);
        throw DataError(report);
      }
    last_places = std::move(places);
    last_deviations = std::move(deviations);
    all_.push_back({.time = rows[begin].time, .network = last, .values = std::move(values)});
  }
}

std::string RecordedObservations::description() const
{
  return fmt::format("observations of {} times from {}", all_.size(), file_.string());
}

std::optional<Observations> RecordedObservations::next()
{
  if (number_ >= all_.size()) return std::nullopt;
  return all_[number_++];
}

void RecordedObservations::save(io::Checkpoint& checkpoint) const
{
  checkpoint.put("source/number", static_cast<std::int64_t>(number_));
}

void RecordedObservations::load(const io::Checkpoint& checkpoint)
{
  number_ = static_cast<std::size_t>(checkpoint.integer("source/number"));
}

}  // namespace locum::assimilation

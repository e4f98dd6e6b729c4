#include "ensemble.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

namespace locum::operators {

SurrogateEnsemble::SurrogateEnsemble(std::vector<Surrogate> members) : members_(std::move(members))
{
  for (const Surrogate& member : members_)
    if (member.inputs() != members_.front().inputs() || member.outputs() != members_.front().outputs())
      throw OptionError({.doing = "predicting with an ensemble",
                         .where = member.description(),
                         .found = "other inputs or outputs than the first member's",
                         .expected = "those of " + members_.front().description(),
                         .advice = "members of one run"});
}

SurrogateEnsemble SurrogateEnsemble::load(const std::vector<std::filesystem::path>& checkpoints)
{
  std::vector<Surrogate> members;
  for (const auto& checkpoint : checkpoints) members.push_back(Surrogate::load(checkpoint));
  return SurrogateEnsemble(std::move(members));
}

std::string SurrogateEnsemble::description() const
{
  if (members_.size() == 1) return members_.front().description();
  return fmt::format("{} surrogates, {} …", members_.size(), members_.front().description());
}

void SurrogateEnsemble::to(torch::Device device)
{
  for (Surrogate& member : members_) member.to(device);
}

Sample SurrogateEnsemble::solve(const Sample& problem)
{
  std::vector<Sample> predictions;
  for (Surrogate& member : members_) predictions.push_back(member.solve(problem));
  return mean_of(predictions);
}

Sample mean_of(const std::vector<Sample>& predictions)
{
  Sample all = predictions.front();
  if (predictions.size() == 1) return all;
  for (const auto& [name, field] : predictions.front().fields) {
    std::vector<Tensor> values;
    for (const Sample& prediction : predictions) values.push_back(prediction.field(name).values);
    const auto [deviation, mean] = torch::std_mean(torch::stack(values), torch::IntArrayRef{0});
    all.fields[name] = {.values = mean, .unit = field.unit};
    all.fields[name + "_std"] = {.values = deviation, .unit = field.unit};
  }
  return all;
}

}  // namespace locum::operators

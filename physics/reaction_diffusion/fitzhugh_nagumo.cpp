#include "fitzhugh_nagumo.hpp"

#include <locum/core/random.hpp>

#include "../requirements.hpp"

namespace locum::physics {

namespace {

template <class Value>
void react_at(double k, const Value& u, const Value& v, Value& of_u, Value& of_v)
{
  of_u = u - u * u * u - k - v;
  of_v = u - v;
}

}  // namespace

FitzHughNagumo::FitzHughNagumo(FitzHughNagumoOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length}});
  require_not_negative(name(), {{"activator_diffusivity", options.activator_diffusivity},
                                {"inhibitor_diffusivity", options.inhibitor_diffusivity}});
}

Grid FitzHughNagumo::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, cells.size() == 1 ? 1 : 2);
  return Grid::cell_centres(cells, std::vector<double>(cells.size(), options_.length));
}

Sample FitzHughNagumo::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  auto shape = grid.shape();
  shape.insert(shape.begin(), 2);
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i)
    states.push_back(RandomStream(seed, "initial state", static_cast<std::uint64_t>(i)).normal(shape));
  const Tensor all = torch::stack(states);
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["activator"] = {.values = all.narrow(1, 0, 1), .unit = "1"};
  sample.fields["inhibitor"] = {.values = all.narrow(1, 1, 1), .unit = "1"};
  return sample;
}

void FitzHughNagumo::react(const double* u, double* f) const { react_at(options_.k, u[0], u[1], f[0], f[1]); }

std::vector<Tensor> FitzHughNagumo::react(const std::vector<Tensor>& u) const
{
  std::vector<Tensor> f(2);
  react_at(options_.k, u[0], u[1], f[0], f[1]);
  return f;
}

ReactionDiffusion::Diffusivity FitzHughNagumo::diffusivity(std::size_t species, double) const
{
  return {species == 0 ? options_.activator_diffusivity : options_.inhibitor_diffusivity, 0};
}

Tensor FitzHughNagumo::diffusivity(std::size_t species, const Tensor& u) const
{
  return torch::full({}, diffusivity(species, 0.0).value, u.options());
}

}  // namespace locum::physics

#include "localisation.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

namespace locum::assimilation {

Localisation::Localisation(const Grid& grid, double length)
    : geometry_(grid), points_(length > 0 ? geometry_.points() : Matrix()), length_(length)
{
  if (!(length >= 0))
    throw OptionError({.doing = "setting up localisation",
                       .where = "assimilation.localisation",
                       .found = fmt::format("{}", length),
                       .expected = "a length, or 0 for none",
                       .advice = ""});
}

const Neighbours& Localisation::find(Kept& kept, const std::shared_ptr<const Network>& network, bool from_points,
                                     bool to_points)
{
  if (kept.network != network) {
    kept.neighbours = find_neighbours(geometry_, from_points ? points_ : network->positions,
                                      to_points ? points_ : network->positions, length_);
    kept.network = network;
  }
  return kept.neighbours;
}

const Neighbours& Localisation::observations_near_points(const std::shared_ptr<const Network>& network)
{
  return find(near_points_, network, /*from_points=*/true, /*to_points=*/false);
}

const Neighbours& Localisation::points_near_observations(const std::shared_ptr<const Network>& network)
{
  return find(of_points_, network, /*from_points=*/false, /*to_points=*/true);
}

const Neighbours& Localisation::observations_near_observations(const std::shared_ptr<const Network>& network)
{
  return find(of_observations_, network, /*from_points=*/false, /*to_points=*/false);
}

}  // namespace locum::assimilation

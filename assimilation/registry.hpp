#pragma once
#include <functional>
#include <memory>

#include "filters/inflation.hpp"
#include "method.hpp"

namespace locum::assimilation {

enum class MethodKind {
  enkf,
  etkf,
  ensrf,
  letkf,
  enkf_n,
  hybrid,
  particle,
  interpolation,
  three_d_var,
  four_d_var,
  enks,
  ienks
};
constexpr auto option_names(MethodKind)
{
  return std::array{std::pair{MethodKind::enkf, "enkf"},         std::pair{MethodKind::etkf, "etkf"},
                    std::pair{MethodKind::ensrf, "ensrf"},       std::pair{MethodKind::letkf, "letkf"},
                    std::pair{MethodKind::enkf_n, "enkf_n"},     std::pair{MethodKind::hybrid, "hybrid"},
                    std::pair{MethodKind::particle, "particle"}, std::pair{MethodKind::interpolation, "oi"},
                    std::pair{MethodKind::three_d_var, "3dvar"}, std::pair{MethodKind::four_d_var, "4dvar"},
                    std::pair{MethodKind::enks, "enks"},         std::pair{MethodKind::ienks, "ienks"}};
}

struct MethodOptions {
  MethodKind method = MethodKind::etkf;
  std::int64_t members = 20;
  InflationOptions inflation = {};
  double localisation = 0;
  std::int64_t lag = 1;
  std::int64_t iterations = 10;
  std::int64_t climate_states = 500;
  double background_scale = 1;
  double hybrid = 0.5;
  double jitter = 1;
  double resample = 0.2;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option(
        "method", method,
        "enkf, etkf, ensrf, letkf, enkf_n, hybrid, particle, oi, 3dvar, 4dvar, enks or ienks (docs/assimilation.md)");
    option("members", members, "of the ensemble; oi, 3dvar and 4dvar have one state");
    inflation.visit(option);
    option("localisation", localisation,
           "length of Gaspari and Cohn's taper: observations count for nothing from twice that on; 0: none");
    option("lag", lag, "observation times: of 4dvar's window, or that smoothers look back");
    option("iterations", iterations, "at most: of 3dvar, 4dvar, ienks");
    option("climate_states", climate_states,
           "states of a long run whose covariance is that of oi, 3dvar, 4dvar, hybrid");
    option("background_scale", background_scale, "factor of that covariance");
    option("hybrid", hybrid, "weight of the ensemble's covariance, of hybrid");
    option("jitter", jitter, "particle: width of the noise that tells copies apart, in units of the usual one");
    option("resample", resample,
           "particle: members are drawn again if the effective number of them is below this part");
  }
};

/// The method a case asks for.
/// @param grid     of the state
/// @param climate  gives so many states of the climate, [state, variable]; asked only by methods that need them
/// @throws OptionError  if options are out of range
std::unique_ptr<Method> make_method(const MethodOptions& options, const Grid& grid,
                                    const std::function<Matrix(std::int64_t states)>& climate);

}  // namespace locum::assimilation

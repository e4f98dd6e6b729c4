#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/options.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>

#include <memory>
#include <utility>

namespace locum::solvers {

/// How a periodic equation is stepped in time.
enum class Scheme {
  etdrk4,  ///< Exponential Runge–Kutta of order 4: Cox & Matthews, J. Comput. Phys. 176 (2002), eqs. 26–29.
  etdab3,  ///< Exponential Adams–Bashforth of order 3: the linear part exactly, one evaluation of products a step.
  cnab2    ///< Crank–Nicolson for the linear part, Adams–Bashforth of order 2 for the products.
};
constexpr auto option_names(Scheme)
{
  return std::array{std::pair{Scheme::etdrk4, "etdrk4"}, std::pair{Scheme::etdab3, "etdab3"},
                    std::pair{Scheme::cnab2, "cnab2"}};
}

/// What is done about products whose modes the grid does not resolve.
enum class Dealiasing {
  none,
  two_thirds,  ///< Products neither see nor change modes of two thirds of the highest and above (Orszag 1971).
  smooth  ///< All modes are damped after each step by exp(−23.6 (κ − 0.65 π)⁴), κ > 0.65 π the wave number times
          ///< spacing (Arbic & Flierl, J. Phys. Oceanogr. 34 (2004)).
};
constexpr auto option_names(Dealiasing)
{
  return std::array{std::pair{Dealiasing::none, "none"}, std::pair{Dealiasing::two_thirds, "two_thirds"},
                    std::pair{Dealiasing::smooth, "smooth"}};
}

struct PeriodicSolverOptions {
  double step = 0.01;
  Scheme scheme = Scheme::etdrk4;
  Dealiasing dealiasing = Dealiasing::two_thirds;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("step", step, "longest time step");
    option("scheme", scheme, "etdrk4, etdab3 or cnab2");
    option("dealiasing", dealiasing, "none, two_thirds or smooth");
  }
};

/// Advances any PeriodicEquation by its Fourier modes.
///
/// Members of an ensemble are shared by the threads; a single state of two or three dimensions is worked on by all of
/// them. States in three dimensions are shared by ranks, plane by plane, if there are several: advance() is collective
/// then, takes the same states on every rank and returns the same, to rounding those that one rank would. Where
/// gradients are asked for, or the state is not on the CPU, the same steps are done in libtorch's operations, and can
/// be differentiated. Schemes of several steps start with etdrk4 in every advance().
class PeriodicSolver : public EvolvingSolver {
 public:
  /// @param equation  must outlive this object
  /// @param ranks     who shares a state in three dimensions
  /// @throws OptionError  if the step is not positive
  PeriodicSolver(const physics::PeriodicEquation& equation, PeriodicSolverOptions options,
                 const Communicator& ranks = {});
  ~PeriodicSolver() override;

  std::string description() const override;

  /// In float64 or float32, as the state is. The duration is divided into equal steps, none longer than the option's.
  /// @throws OptionError  if there are more ranks than planes
  Sample advance(const Sample& state, double duration) override;

  struct Tables;  ///< What the steps of one length on one grid multiply with; internal.

 private:
  Tables& tables(const Grid& grid, double step);

  const physics::PeriodicEquation& equation_;
  PeriodicSolverOptions options_;
  Communicator ranks_;
  std::unique_ptr<Tables> tables_;  // of the last grid and step
};

}  // namespace locum::solvers

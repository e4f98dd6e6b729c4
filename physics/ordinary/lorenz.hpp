#pragma once
#include "ordinary_equation.hpp"

namespace locum::physics {

/// Lorenz, J. Atmos. Sci. 20 (1963): convection in three variables,
///     dx/dt = σ (y − x),  dy/dt = x (ρ − z) − y,  dz/dt = x y − β z.
/// Field "state", its axis "variable".
struct Lorenz63Options {
  double sigma = 10;
  double rho = 28;
  double beta = 8.0 / 3.0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("sigma", sigma, "Prandtl number");
    option("rho", rho, "Rayleigh number over the critical one");
    option("beta", beta, "shape of the rolls");
  }
};

class Lorenz63 : public OrdinaryEquation {
 public:
  explicit Lorenz63(Lorenz63Options options) : options_(options) {}

  std::string name() const override { return "lorenz63"; }
  std::vector<std::string> state() const override { return {"state"}; }
  /// @param cells  {3}
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  Tensor tendency(const Tensor& state, const Grid& grid) const override;
  void move(const double* base, double by, const double* state, std::int64_t variables, double* out) const override;

 private:
  Lorenz63Options options_;
};

/// Lorenz, Tellus 36A (1984): the atmosphere in three variables,
///     dx/dt = −y² − z² − a x + a F,  dy/dt = x y − b x z − y + G,  dz/dt = b x y + x z − z.
struct Lorenz84Options {
  double a = 0.25;
  double b = 4;
  double f = 8;
  double g = 1.23;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("a", a, "damping of the zonal flow");
    option("b", b, "advection of the waves");
    option("f", f, "symmetric heating");
    option("g", g, "asymmetric heating");
  }
};

class Lorenz84 : public OrdinaryEquation {
 public:
  explicit Lorenz84(Lorenz84Options options) : options_(options) {}

  std::string name() const override { return "lorenz84"; }
  std::vector<std::string> state() const override { return {"state"}; }
  /// @param cells  {3}
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  Tensor tendency(const Tensor& state, const Grid& grid) const override;
  void move(const double* base, double by, const double* state, std::int64_t variables, double* out) const override;

 private:
  Lorenz84Options options_;
};

/// Lorenz, Proc. Seminar on Predictability, ECMWF (1996): waves round a circle of latitude,
///     dx_i/dt = (x_{i+1} − x_{i−2}) x_{i−1} − x_i + F.
struct Lorenz96Options {
  double forcing = 8;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("forcing", forcing, "F; 8 is chaotic");
  }
};

class Lorenz96 : public OrdinaryEquation {
 public:
  explicit Lorenz96(Lorenz96Options options) : options_(options) {}

  std::string name() const override { return "lorenz96"; }
  std::vector<std::string> state() const override { return {"state"}; }
  /// @param cells  the number of variables, at least 4; usually {40}
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  Tensor tendency(const Tensor& state, const Grid& grid) const override;
  void move(const double* base, double by, const double* state, std::int64_t variables, double* out) const override;

 private:
  Lorenz96Options options_;
};

/// Two scales of it, the second of Lorenz (1996) as Wilks, Q. J. R. Meteorol. Soc. 131 (2005), uses it: every slow X_k
/// has `fast` variables Y of its own,
///     dX_k/dt = (X_{k+1} − X_{k−2}) X_{k−1} − X_k + F − (h c / b) Σ Y_j over its own j,
///     dY_j/dt = c b (Y_{j−1} − Y_{j+2}) Y_{j+1} − c Y_j + (h c / b) X of j,
/// Y in one circle. The state is all X, then all Y.
struct TwoScaleLorenz96Options {
  double forcing = 20;
  double coupling = 1;
  double b = 10;
  double c = 10;
  std::int64_t fast = 32;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("forcing", forcing, "F of the slow variables");
    option("coupling", coupling, "h");
    option("b", b, "ratio of amplitudes");
    option("c", c, "ratio of time scales");
    option("fast", fast, "fast variables a slow one");
  }
};

class TwoScaleLorenz96 : public OrdinaryEquation {
 public:
  /// @throws OptionError  if b is zero or there are no fast variables
  explicit TwoScaleLorenz96(TwoScaleLorenz96Options options);

  std::string name() const override { return "lorenz96_two_scale"; }
  std::vector<std::string> state() const override { return {"state"}; }
  /// @param cells  the number of slow variables, at least 4; usually {8}. The grid has (1 + fast) points for each.
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  Tensor tendency(const Tensor& state, const Grid& grid) const override;
  void move(const double* base, double by, const double* state, std::int64_t variables, double* out) const override;

 private:
  TwoScaleLorenz96Options options_;
};

}  // namespace locum::physics

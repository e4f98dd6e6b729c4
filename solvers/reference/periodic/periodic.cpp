#include "periodic.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <vector>

#include <locum/core/error.hpp>

#include "../time_steps.hpp"
#include "exponential.hpp"
#include "fourier_steps.hpp"
#include "fourier_transform.hpp"

namespace locum::solvers {

using physics::apply_per_mode;
using physics::FourierForm;
using physics::PeriodicEquation;

namespace {

Tensor inverse_per_mode(const Tensor& matrices)
{
  return torch::linalg_inv(matrices.flatten(2).permute({2, 0, 1})).permute({1, 2, 0}).reshape(matrices.sizes());
}

/// 1 at the modes that products see and change, 0 at others, [mode…].
Tensor seen_by_products(const Grid& grid, Dealiasing dealiasing)
{
  Tensor mask = torch::ones_like(physics::squared_wave_number(grid));
  if (dealiasing != Dealiasing::two_thirds) return mask;
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis) {
    const auto points = static_cast<double>(grid.axes[axis].points);
    const Tensor turns =
        physics::wave_numbers(grid, axis) * (points * grid.axes[axis].spacing / (2 * std::numbers::pi));
    mask = mask * (3 * turns.round().abs() < points).to(torch::kFloat64);
  }
  return mask;
}

/// What every mode is multiplied with after a step.
Tensor damping(const Grid& grid, Dealiasing dealiasing)
{
  if (dealiasing != Dealiasing::smooth) return torch::ones({}, torch::kFloat64);
  Tensor squares = torch::zeros({}, torch::kFloat64);
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis)
    squares = squares + (physics::wave_numbers(grid, axis) * grid.axes[axis].spacing).square();
  const Tensor beyond = (squares.sqrt() - 0.65 * std::numbers::pi).clamp_min(0);
  return (-23.6 * beyond.pow(4)).exp();
}

StepMatrices<Tensor> step_matrices(const FourierForm& form, double h, Scheme scheme, const Tensor& damping)
{
  const Tensor& linear = form.linear;
  const auto half = exponential_functions(linear * (h / 2));
  const auto [e, p1, p2, p3] = exponential_functions(linear * h);
  StepMatrices<Tensor> m{.expand = form.expand,
                         .contract = form.contract,
                         .half = half[0],
                         .half_rate = half[1] * (h / 2),
                         .whole = e * damping,
                         .first = (p1 - 3 * p2 + 4 * p3) * h * damping,
                         .middle = (2 * p2 - 4 * p3) * h * damping,
                         .last = (4 * p3 - p2) * h * damping,
                         .state = {},
                         .rates = {}};
  if (scheme == Scheme::etdab3) {
    m.state = m.whole;
    m.rates = {(p1 + 1.5 * p2 + p3) * h * damping, (-2 * p2 - 2 * p3) * h * damping, (0.5 * p2 + p3) * h * damping};
  }
  if (scheme == Scheme::cnab2) {
    const Tensor one = identity_like(linear), implicit = inverse_per_mode(one - linear * (h / 2));
    m.state = multiply_per_mode(implicit, one + linear * (h / 2)) * damping;
    m.rates = {implicit * (1.5 * h) * damping, implicit * (-0.5 * h) * damping};
  }
  return m;
}

/// The same steps as FourierSteps' in libtorch's operations. @param modes  [batch, component, mode…]
Tensor run_in_tensors(const PeriodicEquation& equation, const FourierForm& form, const StepMatrices<Tensor>& m,
                      const Grid& grid, Tensor modes, std::int64_t steps)
{
  const auto rate = [&](const Tensor& state) { return physics::nonlinear_part(equation, form, state, grid); };
  std::vector<Tensor> history;  // rates now, one step ago, …
  for (std::int64_t step = 0; step < steps; ++step) {
    history.insert(history.begin(), rate(modes));
    const Tensor& n0 = history.front();
    if (history.size() < m.rates.size() || m.rates.empty()) {
      const Tensor a = apply_per_mode(m.half, modes) + apply_per_mode(m.half_rate, n0);
      const Tensor na = rate(a);
      const Tensor b = apply_per_mode(m.half, modes) + apply_per_mode(m.half_rate, na);
      const Tensor nb = rate(b);
      const Tensor nc = rate(apply_per_mode(m.half, a) + apply_per_mode(m.half_rate, 2 * nb - n0));
      modes = apply_per_mode(m.whole, modes) + apply_per_mode(m.first, n0) + apply_per_mode(m.middle, na + nb) +
              apply_per_mode(m.last, nc);
    } else {
      modes = apply_per_mode(m.state, modes);
      for (std::size_t ago = 0; ago < m.rates.size(); ++ago) modes = modes + apply_per_mode(m.rates[ago], history[ago]);
    }
    if (history.size() == 3) history.pop_back();
  }
  return modes;
}

/// The planes of y that this rank holds of modes [(batch,) …, z, y, x].
Tensor own_planes(const Tensor& modes, const Communicator& ranks)
{
  if (ranks.size() == 1) return modes;
  const std::int64_t planes = modes.size(-2);
  return modes.narrow(-2, first_plane(planes, ranks.rank(), ranks.size()),
                      planes_of(planes, ranks.rank(), ranks.size()));
}

/// The planes of all ranks, on every rank. Collective. @param own  [member, component, z, own y, x]
Tensor all_planes(const Tensor& own, std::int64_t planes, const Communicator& ranks)
{
  if (ranks.size() == 1) return own;
  const Tensor sent = own.contiguous();
  const std::int64_t a_plane = own.numel() / own.size(-2), number = 2;  // reals
  std::vector<int> counts, places;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    counts.push_back(static_cast<int>(number * a_plane * planes_of(planes, rank, ranks.size())));
    places.push_back(static_cast<int>(number * a_plane * first_plane(planes, rank, ranks.size())));
  }
  const Tensor all = torch::empty({a_plane * planes}, own.options());
  const MPI_Datatype type = own.scalar_type() == torch::kComplexDouble ? MPI_DOUBLE : MPI_FLOAT;
  MPI_Allgatherv(sent.data_ptr(), static_cast<int>(number * sent.numel()), type, all.data_ptr(), counts.data(),
                 places.data(), type, ranks.raw());
  std::vector<Tensor> parts;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    auto shape = own.sizes().vec();
    shape[shape.size() - 2] = planes_of(planes, rank, ranks.size());
    parts.push_back(all.narrow(0, a_plane * first_plane(planes, rank, ranks.size()), a_plane * shape[shape.size() - 2])
                        .view(shape));
  }
  return torch::cat(parts, -2);
}

/// Rows of modes as long as FFTW wants them.
template <class Real>
Tensor pad_rows(const Tensor& modes, const Grid& grid)
{
  const std::int64_t more = FourierTransform<Real>::columns(grid.axes.back().points) - modes.size(-1);
  return more > 0 ? torch::constant_pad_nd(modes, {0, more}) : modes;
}

template <class Real>
std::vector<std::complex<Real>> to_vector(const Tensor& values, const Grid& grid, const Communicator& ranks)
{
  if (!values.defined()) return {};
  const Tensor plain = pad_rows<Real>(own_planes(values, ranks), grid)
                           .to(c10::toComplexType(c10::CppTypeToScalarType<Real>::value))
                           .contiguous();
  const auto* const first = static_cast<const std::complex<Real>*>(plain.data_ptr());
  return {first, first + plain.numel()};
}

template <class Real>
std::unique_ptr<FourierSteps<Real>> make_steps(const PeriodicEquation& equation, const FourierForm& form,
                                               const StepMatrices<Tensor>& matrices, const Grid& grid,
                                               const Communicator& ranks)
{
  const std::int64_t columns = grid.axes.back().points / 2 + 1;
  const auto sizes = [&](const Tensor& matrix) { return matrix.abs().reshape({-1, columns}).sum(0); };
  const Tensor seen = (sizes(form.expand) + sizes(form.contract)).nonzero();
  const auto plain = [&](const Tensor& matrix) {
    if (!matrix.defined()) return ModeMatrix<Real>();
    const Tensor flat = pad_rows<Real>(own_planes(matrix, ranks), grid).flatten(2).contiguous();
    return ModeMatrix<Real>(flat.size(0), flat.size(1), flat.size(2),
                            static_cast<const std::complex<double>*>(flat.data_ptr()));
  };
  StepMatrices<Tensor> scaled = matrices;
  for (const Axis& axis : grid.axes)
    scaled.contract = scaled.contract / static_cast<double>(axis.points);  // FFTW does not
  return std::make_unique<FourierSteps<Real>>(
      grid.shape(), seen.numel() > 0 ? seen.max().item<std::int64_t>() + 1 : 1, scaled.transform(plain),
      to_vector<Real>(form.mean, grid, ranks), to_vector<Real>(form.forcing, grid, ranks),
      [&equation](const Real* const* factors, Real* const* products, std::int64_t points) {
        equation.multiply(factors, products, points);
      },
      ranks);
}

}  // namespace

struct PeriodicSolver::Tables {
  Grid grid;
  double step = 0;
  FourierForm form;  // dealiased
  StepMatrices<Tensor> matrices;
  std::unique_ptr<FourierSteps<double>> in_float64;  // made when first needed
  std::unique_ptr<FourierSteps<float>> in_float32;
};

PeriodicSolver::PeriodicSolver(const PeriodicEquation& equation, PeriodicSolverOptions options,
                               const Communicator& ranks)
    : equation_(equation), options_(options), ranks_(ranks)
{
  require_step(equation, options.step);
}

PeriodicSolver::~PeriodicSolver() = default;

std::string PeriodicSolver::description() const
{
  return fmt::format("{}, Fourier {}, step {}", equation_.name(), name_of(options_.scheme), options_.step);
}

PeriodicSolver::Tables& PeriodicSolver::tables(const Grid& grid, double step)
{
  if (tables_ && tables_->grid == grid && tables_->step == step) return *tables_;
  auto made = std::make_unique<Tables>();
  made->grid = grid;
  made->step = step;
  made->form = equation_.form(grid);
  const Tensor mask = seen_by_products(grid, options_.dealiasing);
  for (Tensor* part : {&made->form.expand, &made->form.mean, &made->form.contract})
    if (part->defined()) *part = *part * mask;
  made->matrices = step_matrices(made->form, step, options_.scheme, damping(grid, options_.dealiasing));
  tables_ = std::move(made);
  return *tables_;
}

Sample PeriodicSolver::advance(const Sample& state, double duration)
{
  const std::string doing = fmt::format("advancing equation {}", equation_.name());
  const std::int64_t steps = steps_in(equation_, duration, options_.step);
  const Grid& grid = state.grid();
  for (const Axis& axis : grid.axes)
    if (!axis.periodic)
      throw ShapeError({.doing = doing,
                        .where = fmt::format("axis {} of the state's grid", axis.name),
                        .found = "not periodic",
                        .expected = "a periodic grid",
                        .advice = "Equation::grid() makes one"});
  const Communicator ranks = grid.axes.size() == 3 ? ranks_ : Communicator();
  if (const std::int64_t planes = grid.axes.size() == 3 ? std::min(grid.axes[0].points, grid.axes[1].points) : 1;
      ranks.size() > planes)
    throw OptionError({.doing = doing,
                       .where = "the number of ranks",
                       .found = fmt::format("{}", ranks.size()),
                       .expected = fmt::format("at most {}, one a plane of the grid", planes),
                       .advice = ""});
  Tables& t = tables(grid, duration / static_cast<double>(steps));

  const Tensor values = stack_channels(state, equation_.state());
  if (values.size(1) != t.form.linear.size(0))
    throw ShapeError({.doing = doing,
                      .where = "the state",
                      .found = to_string(values.sizes()),
                      .expected = fmt::format("{} channels", t.form.linear.size(0)),
                      .advice = ""});
  Tensor modes = physics::to_modes(values);
  const auto run = [&]<class Real>(std::unique_ptr<FourierSteps<Real>>& with) {
    if (!with) with = make_steps<Real>(equation_, t.form, t.matrices, grid, ranks);
    const std::int64_t columns = modes.size(-1), planes = modes.size(-2);
    modes = pad_rows<Real>(own_planes(modes, ranks), grid).contiguous();
    with->run(static_cast<std::complex<Real>*>(modes.data_ptr()), modes.size(0), steps, at::get_num_threads());
    modes = all_planes(modes.narrow(-1, 0, columns), planes, ranks);
  };
  if (needs_tensors(values)) {
    const auto there = [&](const Tensor& table) { return table.defined() ? table.to(values.device()) : table; };
    const FourierForm form{there(t.form.linear), there(t.form.expand), there(t.form.mean), there(t.form.contract),
                           there(t.form.forcing)};
    modes = run_in_tensors(equation_, form, t.matrices.transform(there), grid, modes, steps);
  } else if (values.scalar_type() == torch::kFloat64) run(t.in_float64);
  else run(t.in_float32);
  return advanced(equation_, state, physics::from_modes(modes, grid).to(values.scalar_type()), duration, "step",
                  options_.step);
}

}  // namespace locum::solvers

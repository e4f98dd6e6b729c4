#include "fourier_steps.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <locum/core/processors.hpp>

#include "../share.hpp"
#include "fourier_transform.hpp"

namespace locum::solvers {

template <class Real>
ModeMatrix<Real>::ModeMatrix(std::int64_t rows, std::int64_t columns, std::int64_t modes,
                             const std::complex<double>* values)
    : rows_(rows), columns_(columns), modes_(modes), entries_(static_cast<std::size_t>(rows * columns))
{
  for (Entry& entry : entries_) {
    const auto part = [&](auto of) {
      std::vector<Real> numbers(static_cast<std::size_t>(modes));
      std::transform(values, values + modes, numbers.begin(), [&](auto z) { return static_cast<Real>(of(z)); });
      const bool any = std::any_of(numbers.begin(), numbers.end(), [](Real number) { return number != 0; });
      return any ? numbers : std::vector<Real>();
    };
    entry.real = part([](auto z) { return z.real(); });
    entry.imaginary = part([](auto z) { return z.imag(); });
    values += modes;
  }
}

namespace {

/// out (+)= scale c in, for complex in and out and real, imaginary or complex c, at modes 0 … count−1.
template <class Real>
[[gnu::always_inline]] inline void multiply_modes(const Real* real, const Real* imaginary, Real scale, const Real* in,
                                                  std::int64_t count, bool begin, Real* out)
{
  const auto at_each = [&](const auto& product) {
    if (begin) {
#pragma GCC ivdep
      for (std::int64_t m = 0; m < count; ++m) {
        out[2 * m] = product(m, 0);
        out[2 * m + 1] = product(m, 1);
      }
    } else {
#pragma GCC ivdep
      for (std::int64_t m = 0; m < count; ++m) {
        out[2 * m] += product(m, 0);
        out[2 * m + 1] += product(m, 1);
      }
    }
  };
  if (!imaginary) at_each([=](std::int64_t m, int part) { return scale * real[m] * in[2 * m + part]; });
  else if (!real)
    at_each(
        [=](std::int64_t m, int part) { return (part == 0 ? -scale : scale) * imaginary[m] * in[2 * m + 1 - part]; });
  else
    at_each([=](std::int64_t m, int part) {
      return scale * real[m] * in[2 * m + part] + (part == 0 ? -scale : scale) * imaginary[m] * in[2 * m + 1 - part];
    });
}

LOCUM_FOR_PROCESSORS void multiply(const double* real, const double* imaginary, double scale, const double* in,
                                   std::int64_t count, bool begin, double* out)
{
  multiply_modes(real, imaginary, scale, in, count, begin, out);
}

LOCUM_FOR_PROCESSORS void multiply(const float* real, const float* imaginary, float scale, const float* in,
                                   std::int64_t count, bool begin, float* out)
{
  multiply_modes(real, imaginary, scale, in, count, begin, out);
}

}  // namespace

template <class Real>
bool ModeMatrix<Real>::add(std::int64_t row, const Real* in, Real scale, std::int64_t first, std::int64_t last,
                           bool begin, Real* out) const
{
  for (std::int64_t column = 0; column < columns_; ++column) {
    const Entry& entry = entries_[static_cast<std::size_t>(row * columns_ + column)];
    if (entry.real.empty() && entry.imaginary.empty()) continue;
    multiply(entry.real.empty() ? nullptr : entry.real.data() + first,
             entry.imaginary.empty() ? nullptr : entry.imaginary.data() + first, scale,
             in + 2 * (column * modes_ + first), last - first, begin, out + 2 * first);
    begin = false;
  }
  return begin;
}

/// One state at a time; every function is called by all threads of a team, if one works on it.
template <class Real>
struct FourierSteps<Real>::One {
  /// Memory for a state on its way.
  struct Workspace {
    Workspace(const One& one, bool with_team)
        : with_team(with_team),
          modes(2 * one.modes() * std::max(one.factors(), one.products())),
          factors(one.transform.reals() * one.factors()),
          products(one.transform.reals() * one.products())
    {
      const auto one_state = [&] { return AlignedArray<Real>(2 * one.modes() * one.components()); };
      for (auto& array : stages) array = one_state();
      for (auto& array : rates) array = one_state();
      for (auto& array : history) array = one_state();
    }
    bool with_team;  // whether all threads of a team work on this state
    AlignedArray<Real> modes, factors, products;
    std::array<AlignedArray<Real>, 3> stages;
    std::array<AlignedArray<Real>, 3> rates;    // at the stages
    std::array<AlignedArray<Real>, 3> history;  // rates at the beginning of this step and of those before
  };

  std::int64_t modes() const { return transform.modes(); }
  std::int64_t components() const { return matrices.contract.rows(); }
  std::int64_t factors() const { return matrices.expand.rows(); }
  std::int64_t products() const { return matrices.contract.columns(); }

  void run(Real* state, std::int64_t steps, Workspace& w) const
  {
    const auto reach = static_cast<std::int64_t>(matrices.rates.size());  // steps that a step knows of
    const std::int64_t single = reach > 0 ? std::min(reach - 1, steps) : steps;
    Real *now = state, *next = w.stages[2].data();
    for (std::int64_t step = 0; step < steps; ++step) {
      if (step < single) runge_kutta_step(now, next, step, w);
      else several_step(now, next, step, w);
      std::swap(now, next);
    }
    if (now == state) return;
    share(w.with_team, 2 * components() * modes(), [&](std::int64_t i) { state[i] = now[i]; });
  }

  struct Term {
    const ModeMatrix<Real>& matrix;
    const Real* in;
    Real scale = 1;
  };

  static constexpr std::int64_t block = 512;  // modes or points: what a thread works on stays in its first cache
  static constexpr std::size_t most_fields = 16;

  /// out = added + Σ scale · matrix · in, mode by mode. out is none of the inputs.
  void combine(const Workspace& w, Real* out, std::int64_t rows, std::initializer_list<Term> sum,
               const std::vector<std::complex<Real>>& added = {}) const
  {
    const std::int64_t blocks = (modes() + block - 1) / block;
    share(w.with_team, blocks, [&](std::int64_t task) {
      const std::int64_t first = task * block, last = std::min(modes(), first + block);
      for (std::int64_t row = 0; row < rows; ++row) {
        Real* const to = out + 2 * row * modes();
        bool nothing = added.empty();
        if (!nothing) {
          const auto* const from = reinterpret_cast<const Real*>(added.data()) + 2 * row * modes();
          std::copy(from + 2 * first, from + 2 * last, to + 2 * first);
        }
        for (const Term& term : sum) nothing = term.matrix.add(row, term.in, term.scale, first, last, nothing, to);
        if (nothing) std::fill(to + 2 * first, to + 2 * last, Real(0));
      }
    });
  }

  /// What products and forcing contribute to ∂û/∂t at `state`.
  void rate(const Real* state, Real* out, Workspace& w) const
  {
    auto* const complex = reinterpret_cast<std::complex<Real>*>(w.modes.data());
    combine(w, w.modes.data(), factors(), {{matrices.expand, state}}, mean);
    transform.to_values(complex, w.factors.data(), factors(), w.with_team);
    const std::int64_t reals = transform.reals(), blocks = (reals + block - 1) / block;
    share(w.with_team, blocks, [&](std::int64_t task) {
      std::array<const Real*, most_fields> in;
      std::array<Real*, most_fields> to;
      const auto field = [&](const AlignedArray<Real>& fields, std::size_t number) {
        return fields.data() + static_cast<std::int64_t>(number) * reals + task * block;
      };
      for (std::size_t f = 0; f < static_cast<std::size_t>(factors()); ++f) in[f] = field(w.factors, f);
      for (std::size_t p = 0; p < static_cast<std::size_t>(products()); ++p) to[p] = field(w.products, p);
      multiply(in.data(), to.data(), std::min(block, reals - task * block));
    });
    transform.to_modes(w.products.data(), complex, products(), w.with_team);
    combine(w, out, components(), {{matrices.contract, w.modes.data()}}, forcing);
  }

  void runge_kutta_step(const Real* now, Real* next, std::int64_t step, Workspace& w) const
  {
    const auto& m = matrices;
    const std::int64_t rows = components();
    Real *const a = w.stages[0].data(), *const b = w.stages[1].data();
    Real* const n0 = w.history[static_cast<std::size_t>(step % 3)].data();
    Real *const na = w.rates[0].data(), *const nb = w.rates[1].data(), *const nc = w.rates[2].data();
    rate(now, n0, w);
    combine(w, a, rows, {{m.half, now}, {m.half_rate, n0}});
    rate(a, na, w);
    combine(w, b, rows, {{m.half, now}, {m.half_rate, na}});
    rate(b, nb, w);
    combine(w, b, rows, {{m.half, a}, {m.half_rate, nb, 2}, {m.half_rate, n0, -1}});
    rate(b, nc, w);
    combine(w, next, rows, {{m.whole, now}, {m.first, n0}, {m.middle, na}, {m.middle, nb}, {m.last, nc}});
  }

  void several_step(const Real* now, Real* next, std::int64_t step, Workspace& w) const
  {
    const auto ago = [&](std::int64_t steps) -> Real* {
      return w.history[static_cast<std::size_t>((step - steps) % 3)].data();
    };
    rate(now, ago(0), w);
    const auto& r = matrices.rates;
    if (r.size() == 2) combine(w, next, components(), {{matrices.state, now}, {r[0], ago(0)}, {r[1], ago(1)}});
    else combine(w, next, components(), {{matrices.state, now}, {r[0], ago(0)}, {r[1], ago(1)}, {r[2], ago(2)}});
  }

  FourierTransform<Real> transform;
  StepMatrices<ModeMatrix<Real>> matrices;
  std::vector<std::complex<Real>> mean, forcing;
  Multiply multiply;
};

template <class Real>
FourierSteps<Real>::FourierSteps(const std::vector<std::int64_t>& points, std::int64_t kept,
                                 StepMatrices<ModeMatrix<Real>> matrices, std::vector<std::complex<Real>> mean,
                                 std::vector<std::complex<Real>> forcing, Multiply multiply)
    : one_(new One{.transform{points, kept},
                   .matrices = std::move(matrices),
                   .mean = std::move(mean),
                   .forcing = std::move(forcing),
                   .multiply = std::move(multiply)})
{
}

template <class Real>
FourierSteps<Real>::~FourierSteps() = default;

template <class Real>
void FourierSteps<Real>::run(std::complex<Real>* states, std::int64_t members, std::int64_t steps,
                             std::int64_t threads) const
{
  if (members == 0) return;
  constexpr std::int64_t worth_sharing = 1024;  // modes
  const bool together = members < threads && one_->modes() > worth_sharing;
  const auto teams = static_cast<int>(together ? 1 : std::min(members, threads));
  const auto team = static_cast<int>(together ? threads : 1);
  std::vector<typename One::Workspace> workspaces;
  for (int i = 0; i < teams; ++i) workspaces.emplace_back(*one_, together);
  const auto state = [&](std::int64_t member) {
    return reinterpret_cast<Real*>(states + member * one_->components() * one_->modes());
  };
  if (together) {
    for (std::int64_t member = 0; member < members; ++member) {
#pragma omp parallel num_threads(team)
      one_->run(state(member), steps, workspaces[0]);
    }
    return;
  }
#pragma omp parallel num_threads(teams)
  {
    const auto number = omp_get_thread_num();
    for (std::int64_t member = number; member < members; member += teams)
      one_->run(state(member), steps, workspaces[static_cast<std::size_t>(number)]);
  }
}

template class ModeMatrix<double>;
template class ModeMatrix<float>;
template class FourierSteps<double>;
template class FourierSteps<float>;

}  // namespace locum::solvers

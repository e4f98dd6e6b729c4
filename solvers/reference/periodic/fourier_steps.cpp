#include "fourier_steps.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <locum/core/error.hpp>
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

enum class Kind { real, imaginary, complex };

/// What loops take at once: some complex numbers in a register of most processors, and as many coefficients.
template <class Real>
struct Chunk {
  static constexpr std::int64_t modes = 16 / sizeof(Real);
  typedef Real Numbers __attribute__((vector_size(32), aligned(sizeof(Real)), may_alias));
  typedef Real Coefficients __attribute__((vector_size(16), aligned(sizeof(Real)), may_alias));

  /// A coefficient for either part of its number.
  [[gnu::always_inline]] static inline void twice(const Coefficients& c, Numbers& out)
  {
    if constexpr (modes == 2) out = __builtin_shufflevector(c, c, 0, 0, 1, 1);
    else out = __builtin_shufflevector(c, c, 0, 0, 1, 1, 2, 2, 3, 3);
  }
  /// i z
  [[gnu::always_inline]] static inline void turned(const Numbers& z, Numbers& out)
  {
    if constexpr (modes == 2) out = __builtin_shufflevector(z, z, 1, 0, 3, 2) * Numbers{-1, 1, -1, 1};
    else out = __builtin_shufflevector(z, z, 1, 0, 3, 2, 5, 4, 7, 6) * Numbers{-1, 1, -1, 1, -1, 1, -1, 1};
  }
};

/// out (+)= Σ scale c in over `terms` products of one kind.
template <Kind kind, int terms, class Real>
[[gnu::always_inline]] inline void add_products(const ModeProduct<Real>* products, std::int64_t modes, bool begin,
                                                Real* out)
{
  using Numbers = typename Chunk<Real>::Numbers;
  using Coefficients = typename Chunk<Real>::Coefficients;
  constexpr std::int64_t step = Chunk<Real>::modes;
  const Real *real[terms], *imaginary[terms], *in[terms];
  Real scale[terms];
  for (int t = 0; t < terms; ++t) {
    real[t] = products[t].real;
    imaginary[t] = products[t].imaginary;
    in[t] = products[t].in;
    scale[t] = products[t].scale;
  }
  std::int64_t m = 0;
  for (; m + step <= modes; m += step) {
    Numbers sum = {}, factor, turned;
    if (!begin) sum = *reinterpret_cast<const Numbers*>(out + 2 * m);
    for (int t = 0; t < terms; ++t) {
      const Numbers z = *reinterpret_cast<const Numbers*>(in[t] + 2 * m);
      if constexpr (kind != Kind::imaginary) {
        Chunk<Real>::twice(*reinterpret_cast<const Coefficients*>(real[t] + m) * scale[t], factor);
        sum += factor * z;
      }
      if constexpr (kind != Kind::real) {
        Chunk<Real>::twice(*reinterpret_cast<const Coefficients*>(imaginary[t] + m) * scale[t], factor);
        Chunk<Real>::turned(z, turned);
        sum += factor * turned;
      }
    }
    *reinterpret_cast<Numbers*>(out + 2 * m) = sum;
  }
  for (; m < modes; ++m) {
    Real x = begin ? 0 : out[2 * m], y = begin ? 0 : out[2 * m + 1];
    for (int t = 0; t < terms; ++t) {
      if constexpr (kind != Kind::imaginary) {
        x += scale[t] * real[t][m] * in[t][2 * m];
        y += scale[t] * real[t][m] * in[t][2 * m + 1];
      }
      if constexpr (kind != Kind::real) {
        x -= scale[t] * imaginary[t][m] * in[t][2 * m + 1];
        y += scale[t] * imaginary[t][m] * in[t][2 * m];
      }
    }
    out[2 * m] = x;
    out[2 * m + 1] = y;
  }
}

template <Kind kind, class Real>
[[gnu::always_inline]] inline void add_products(const ModeProduct<Real>* products, int terms, std::int64_t modes,
                                                bool begin, Real* out)
{
  switch (terms) {
    case 1:
      return add_products<kind, 1>(products, modes, begin, out);
    case 2:
      return add_products<kind, 2>(products, modes, begin, out);
    case 3:
      return add_products<kind, 3>(products, modes, begin, out);
    default:
      return add_products<kind, 4>(products, modes, begin, out);
  }
}

template <class Real>
[[gnu::always_inline]] inline void add_products(Kind kind, const ModeProduct<Real>* products, int terms,
                                                std::int64_t modes, bool begin, Real* out)
{
  switch (kind) {
    case Kind::real:
      return add_products<Kind::real>(products, terms, modes, begin, out);
    case Kind::imaginary:
      return add_products<Kind::imaginary>(products, terms, modes, begin, out);
    case Kind::complex:
      return add_products<Kind::complex>(products, terms, modes, begin, out);
  }
}

LOCUM_FOR_PROCESSORS void add_up(Kind kind, const ModeProduct<double>* products, int terms, std::int64_t modes,
                                 bool begin, double* out)
{
  add_products(kind, products, terms, modes, begin, out);
}

LOCUM_FOR_PROCESSORS void add_up(Kind kind, const ModeProduct<float>* products, int terms, std::int64_t modes,
                                 bool begin, float* out)
{
  add_products(kind, products, terms, modes, begin, out);
}

template <class Real>
Kind kind_of(const ModeProduct<Real>& product)
{
  return !product.imaginary ? Kind::real : !product.real ? Kind::imaginary : Kind::complex;
}

}  // namespace

template <class Real>
void ModeSum<Real>::add(const ModeProduct<Real>& product)
{
  if (waiting_ == together || (waiting_ > 0 && kind_of(product) != kind_of(products_[0]))) flush();
  products_[waiting_++] = product;
}

template <class Real>
void ModeSum<Real>::flush()
{
  add_up(kind_of(products_[0]), products_, waiting_, modes_, begin_, out_);
  begin_ = false;
  waiting_ = 0;
}

template <class Real>
void ModeSum<Real>::finish()
{
  if (waiting_ > 0) flush();
  if (begin_) std::fill(out_, out_ + 2 * modes_, Real(0));
}

template <class Real>
void ModeMatrix<Real>::add(std::int64_t row, const Real* in, Real scale, std::int64_t first, ModeSum<Real>& sum) const
{
  for (std::int64_t column = 0; column < columns_; ++column) {
    const Entry& entry = entries_[static_cast<std::size_t>(row * columns_ + column)];
    if (entry.real.empty() && entry.imaginary.empty()) continue;
    sum.add({.real = entry.real.empty() ? nullptr : entry.real.data() + first,
             .imaginary = entry.imaginary.empty() ? nullptr : entry.imaginary.data() + first,
             .in = in + 2 * (column * modes_ + first),
             .scale = scale});
  }
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
    bool with_team;            // whether all threads of a team work on this state
    AlignedArray<Real> modes;  // of factors on their way to points, and of products on their way from there
    AlignedArray<Real> factors, products;
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
    in_blocks(w, modes(), [&](std::int64_t first, std::int64_t last) { expand(now, first, last, w); });
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

  static constexpr std::size_t most_fields = 64;

  /// work(first, last) for some of `count` modes or points at a time, which stay in the first cache.
  template <class Work>
  static void in_blocks(const Workspace& w, std::int64_t count, const Work& work)
  {
    constexpr std::int64_t block = 256;
    share(w.with_team, (count + block - 1) / block,
          [&](std::int64_t task) { work(task * block, std::min(count, (task + 1) * block)); });
  }

  /// out = added + Σ scale · matrix · in at modes first … last−1. out is none of the inputs.
  void combine(Real* out, std::int64_t rows, std::initializer_list<Term> terms, std::int64_t first, std::int64_t last,
               const std::vector<std::complex<Real>>& added = {}) const
  {
    for (std::int64_t row = 0; row < rows; ++row) {
      Real* const to = out + 2 * (row * modes() + first);
      if (!added.empty()) {
        const auto* const from = reinterpret_cast<const Real*>(added.data() + row * modes());
        std::copy(from + 2 * first, from + 2 * last, to);
      }
      ModeSum<Real> sum(to, last - first, added.empty());
      for (const Term& term : terms) term.matrix.add(row, term.in, term.scale, first, sum);
      sum.finish();
    }
  }

  /// The modes of the factors at `state`.
  void expand(const Real* state, std::int64_t first, std::int64_t last, Workspace& w) const
  {
    combine(w.modes.data(), factors(), {{matrices.expand, state}}, first, last, mean);
  }

  /// Turns the factors of a state into its rate, what products and forcing contribute to ∂û/∂t there; then makes the
  /// state next = Σ scale · matrix · in, of which this rate may be a part, and its factors.
  void stage(Real* rate, Real* next, std::initializer_list<Term> terms, Workspace& w) const
  {
    auto* const complex = reinterpret_cast<std::complex<Real>*>(w.modes.data());
    transform.to_values(complex, w.factors.data(), factors(), w.with_team);
    in_blocks(w, transform.reals(), [&](std::int64_t first, std::int64_t last) {
      std::array<const Real*, most_fields> in;
      std::array<Real*, most_fields> to;
      const auto field = [&](const AlignedArray<Real>& fields, std::size_t number) {
        return fields.data() + static_cast<std::int64_t>(number) * transform.reals() + first;
      };
      for (std::size_t f = 0; f < static_cast<std::size_t>(factors()); ++f) in[f] = field(w.factors, f);
      for (std::size_t p = 0; p < static_cast<std::size_t>(products()); ++p) to[p] = field(w.products, p);
      multiply(in.data(), to.data(), last - first);
    });
    transform.to_modes(w.products.data(), complex, products(), w.with_team);
    in_blocks(w, modes(), [&](std::int64_t first, std::int64_t last) {
      combine(rate, components(), {{matrices.contract, w.modes.data()}}, first, last, forcing);
      combine(next, components(), terms, first, last);
      expand(next, first, last, w);
    });
  }

  void runge_kutta_step(const Real* now, Real* next, std::int64_t step, Workspace& w) const
  {
    const auto& m = matrices;
    Real *const a = w.stages[0].data(), *const b = w.stages[1].data();
    Real* const n0 = w.history[static_cast<std::size_t>(step % 3)].data();
    Real *const na = w.rates[0].data(), *const nb = w.rates[1].data(), *const nc = w.rates[2].data();
    stage(n0, a, {{m.half, now}, {m.half_rate, n0}}, w);
    stage(na, b, {{m.half, now}, {m.half_rate, na}}, w);
    stage(nb, b, {{m.half, a}, {m.half_rate, nb, 2}, {m.half_rate, n0, -1}}, w);
    stage(nc, next, {{m.whole, now}, {m.first, n0}, {m.middle, na}, {m.middle, nb}, {m.last, nc}}, w);
  }

  void several_step(const Real* now, Real* next, std::int64_t step, Workspace& w) const
  {
    const auto ago = [&](std::int64_t steps) -> Real* {
      return w.history[static_cast<std::size_t>((step - steps) % 3)].data();
    };
    const auto& r = matrices.rates;
    if (r.size() == 2) stage(ago(0), next, {{matrices.state, now}, {r[0], ago(0)}, {r[1], ago(1)}}, w);
    else stage(ago(0), next, {{matrices.state, now}, {r[0], ago(0)}, {r[1], ago(1)}, {r[2], ago(2)}}, w);
  }

  Communicator ranks;
  FourierTransform<Real> transform;
  StepMatrices<ModeMatrix<Real>> matrices;
  std::vector<std::complex<Real>> mean, forcing;
  Multiply multiply;
};

template <class Real>
FourierSteps<Real>::FourierSteps(const std::vector<std::int64_t>& points, std::int64_t kept,
                                 StepMatrices<ModeMatrix<Real>> matrices, std::vector<std::complex<Real>> mean,
                                 std::vector<std::complex<Real>> forcing, Multiply multiply, const Communicator& ranks)
    : one_(new One{.ranks = ranks,
                   .transform{points, kept, ranks},
                   .matrices = std::move(matrices),
                   .mean = std::move(mean),
                   .forcing = std::move(forcing),
                   .multiply = std::move(multiply)})
{
  if (const auto fields = std::max(one_->factors(), one_->products());
      static_cast<std::size_t>(fields) > One::most_fields)
    throw OptionError({.doing = "setting up the steps of a periodic equation",
                       .where = "its products",
                       .found = fmt::format("{} factors or products", fields),
                       .expected = fmt::format("at most {}", One::most_fields),
                       .advice = "fewer terms"});
}

template <class Real>
FourierSteps<Real>::~FourierSteps() = default;

template <class Real>
void FourierSteps<Real>::run(std::complex<Real>* states, std::int64_t members, std::int64_t steps,
                             std::int64_t threads) const
{
  if (members == 0) return;
  if (one_->ranks.size() > 1) threads = 1;
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

template class ModeSum<double>;
template class ModeSum<float>;
template class ModeMatrix<double>;
template class ModeMatrix<float>;
template class FourierSteps<double>;
template class FourierSteps<float>;

}  // namespace locum::solvers

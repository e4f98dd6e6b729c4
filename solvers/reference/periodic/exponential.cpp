#include "exponential.hpp"

#include <cmath>
#include <vector>

namespace locum::solvers {

Tensor multiply_per_mode(const Tensor& a, const Tensor& b)
{
  const std::int64_t size = a.size(0);
  std::vector<Tensor> rows;
  for (std::int64_t row = 0; row < size; ++row) {
    Tensor sum = a[row][0] * b[0];  // [column, mode…]
    for (std::int64_t inner = 1; inner < a.size(1); ++inner) sum = sum + a[row][inner] * b[inner];
    rows.push_back(sum);
  }
  return torch::stack(rows);
}

Tensor identity_like(const Tensor& matrices)
{
  Tensor one = torch::zeros_like(matrices);
  for (std::int64_t i = 0; i < matrices.size(0); ++i) one[i][i] = 1;
  return one;
}

std::array<Tensor, 4> exponential_functions(const Tensor& matrices)
{
  constexpr int terms = 20;                           // 1 / 21! is below rounding
  const Tensor norm = matrices.abs().sum(1).amax(0);  // [mode…]
  const Tensor doublings = norm.clamp_min(1).log2().ceil();
  const Tensor z = matrices * torch::exp2(-doublings);
  const Tensor one = identity_like(matrices);

  double factorial[] = {1, 1, 2, 6};
  std::array<Tensor, 4> phi;
  for (int j = 0; j < 4; ++j) {  // Horner: 1/j! (1 + z/(j+1) (1 + z/(j+2) (…)))
    Tensor sum = one;
    for (int term = terms; term > 0; --term) sum = one + multiply_per_mode(z, sum) / static_cast<double>(term + j);
    phi[static_cast<std::size_t>(j)] = sum / factorial[j];
  }
  const auto most = static_cast<int>(doublings.max().item<double>());
  for (int doubling = 0; doubling < most; ++doubling) {
    const auto [e, p1, p2, p3] = phi;
    const std::array<Tensor, 4> doubled = {
        multiply_per_mode(e, e),
        (multiply_per_mode(e, p1) + p1) / 2,
        (multiply_per_mode(e, p2) + p2 + p1) / 4,
        (multiply_per_mode(e, p3) + p3 + p2 + p1 / 2) / 8,
    };
    const Tensor goes_on = doublings > doubling;
    for (std::size_t j = 0; j < 4; ++j) phi[j] = torch::where(goes_on, doubled[j], phi[j]);
  }
  return phi;
}

}  // namespace locum::solvers

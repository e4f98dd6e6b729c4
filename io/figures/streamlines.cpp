#include "streamlines.hpp"

#include <algorithm>
#include <cmath>

namespace locum::io {

namespace {

using Point = std::array<double, 2>;

class Tracer {
 public:
  explicit Tracer(const torch::Tensor& velocity)
      : velocity_(velocity.detach().to(torch::kCPU, torch::kFloat64).contiguous()),
        v_(velocity_.accessor<double, 3>()),
        ny_(velocity_.size(1)),
        nx_(velocity_.size(2)),
        apart_(static_cast<double>(std::max(ny_, nx_)) / 30),
        rows_(static_cast<std::int64_t>(static_cast<double>(ny_) / apart_) + 1),
        columns_(static_cast<std::int64_t>(static_cast<double>(nx_) / apart_) + 1),
        taken_(static_cast<std::size_t>(rows_ * columns_), false),
        slow_(1e-3 * velocity_.square().sum(0).sqrt().nan_to_num(0).max().item<double>())
  {
  }

  std::vector<Streamline> trace()
  {
    std::vector<Streamline> lines;
    for (std::int64_t j = 0; j < rows_; ++j)
      for (std::int64_t i = 0; i < columns_; ++i) {
        const Point seed = {(static_cast<double>(i) + 0.5) * apart_, (static_cast<double>(j) + 0.5) * apart_};
        if (taken_[place(seed)] || !inside(seed)) continue;
        Streamline line = follow(seed, -1);
        std::reverse(line.begin(), line.end());
        const Streamline onward = follow(seed, 1);
        if (!line.empty() && !onward.empty()) line.pop_back();
        line.insert(line.end(), onward.begin(), onward.end());
        for (const Point& point : line) taken_[place(point)] = true;
        if (static_cast<double>(line.size()) * step > 2 * apart_) lines.push_back(std::move(line));
      }
    return lines;
  }

 private:
  static constexpr double step = 0.5;  // cells

  bool inside(const Point& at) const
  {
    return at[0] >= 0 && at[1] >= 0 && at[0] <= static_cast<double>(nx_ - 1) && at[1] <= static_cast<double>(ny_ - 1);
  }
  std::size_t place(const Point& at) const
  {
    return static_cast<std::size_t>(static_cast<std::int64_t>(at[1] / apart_) * columns_ +
                                    static_cast<std::int64_t>(at[0] / apart_));
  }

  /// Bilinear interpolation.
  Point velocity(const Point& at) const
  {
    const auto i = std::min<std::int64_t>(nx_ - 2, static_cast<std::int64_t>(at[0]));
    const auto j = std::min<std::int64_t>(ny_ - 2, static_cast<std::int64_t>(at[1]));
    const double a = at[0] - static_cast<double>(i), b = at[1] - static_cast<double>(j);
    Point found{};
    for (int c = 0; c < 2; ++c)
      found[c] = (1 - b) * ((1 - a) * v_[c][j][i] + a * v_[c][j][i + 1]) +
                 b * ((1 - a) * v_[c][j + 1][i] + a * v_[c][j + 1][i + 1]);
    return found;
  }

  /// From a point on, until another line's square, its own first, the edge, rest, or a thousand steps.
  Streamline follow(Point at, double sense) const
  {
    Streamline line;
    std::size_t last = place(at);
    const std::size_t first = last;
    for (int i = 0; i < 1000; ++i) {
      line.push_back(at);
      Point middle = at;
      for (const double part : {0.5, 1.0}) {  // the midpoint rule
        const Point v = velocity(middle);
        const double speed = std::hypot(v[0], v[1]);
        if (!(speed > slow_)) return line;
        middle = {at[0] + sense * part * step * v[0] / speed, at[1] + sense * part * step * v[1] / speed};
        if (!inside(middle)) return line;
      }
      at = middle;
      const std::size_t here = place(at);
      if (here != last && (here == first || taken_[here])) return line;
      last = here;
    }
    return line;
  }

  torch::Tensor velocity_;
  torch::TensorAccessor<double, 3> v_;
  std::int64_t ny_, nx_;
  double apart_;
  std::int64_t rows_, columns_;
  std::vector<bool> taken_;
  double slow_;
};

}  // namespace

std::vector<Streamline> streamlines(const torch::Tensor& velocity)
{
  if (velocity.size(1) < 2 || velocity.size(2) < 2) return {};
  return Tracer(velocity).trace();
}

}  // namespace locum::io

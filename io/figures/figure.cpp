#include "figure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "gnuplot.hpp"
#include "streamlines.hpp"

// All lengths are points of the picture, y downwards; every piece of text gets a place of its own, its width estimated
// from the widest of the usual fonts.

namespace locum::io {

using gnuplot::quoted;

static const char* const doing = "drawing a figure";

// ---- Words and numbers

static std::string superscript(const std::string& digits)
{
  static const std::array<const char*, 10> raised = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (const char c : digits) text += c == '-' ? "⁻" : raised.at(static_cast<std::size_t>(c - '0'));
  return text;
}

/// "kg m-3" as it is printed: kg m⁻³. Dimensionless is nothing.
static std::string pretty_unit(const std::string& unit)
{
  if (unit == "1") return "";
  std::string text, exponent;
  for (const char c : unit + " ") {
    const bool after_letter = !text.empty() && std::isalpha(static_cast<unsigned char>(text.back()));
    if ((after_letter || !exponent.empty()) && (c == '-' || std::isdigit(static_cast<unsigned char>(c)))) {
      exponent += c;
      continue;
    }
    text += superscript(exponent) + c;
    exponent.clear();
  }
  text.pop_back();
  return text;
}

static std::string number(double value, int decimals)
{
  auto text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);  // no −0.0
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

/// About how wide a text is in points, at a font size of gnuplot's (which counts pixels of 96 to the inch).
static double width_of(const std::string& text, double font)
{
  double em = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // not the first byte of a character
    if (static_cast<unsigned char>(c) >= 0x80) em += 0.5;          // superscripts, accents, the odd symbol
    else if (std::string(" !'()[],.:;|Ifijlrt").find(c) != std::string::npos) em += 0.37;
    else if (std::string("%@mwMW").find(c) != std::string::npos) em += 0.92;
    else em += std::isupper(static_cast<unsigned char>(c)) ? 0.71 : 0.63;
  }
  return em * font * 2 / 3;
}

static Tensor finite_values(const Tensor& values)
{
  const Tensor flat = values.detach().to(torch::kCPU, torch::kFloat64).flatten();
  return flat.masked_select(torch::isfinite(flat));
}

Range common_range(const std::vector<Tensor>& fields)
{
  std::vector<Tensor> flat;
  for (const Tensor& field : fields) flat.push_back(finite_values(field));
  const Tensor all = torch::cat(flat);
  if (all.numel() == 0) return {0, 1};
  return {all.min().item<double>(), all.max().item<double>()};
}

/// A constant, up to rounding, has no range of its own: it goes into the middle of one.
static Range widened(Range range)
{
  const double magnitude = std::max(std::abs(range.first), std::abs(range.second));
  if (range.second - range.first > 1e-12 * magnitude) return range;
  const double margin = magnitude == 0 ? 1 : 0.1 * magnitude;
  return {range.first - margin, range.second + margin};
}

namespace {

/// Round numbers along an axis or colour bar.
struct Ticks {
  std::vector<double> at;
  std::vector<std::string> labels;
  std::vector<double> minor;  // without a label
  std::string factor;         // of all labels: "×10⁻³"

  double width(double font) const
  {
    double widest = 0;
    for (const auto& label : labels) widest = std::max(widest, width_of(label, font));
    return widest;
  }
  std::string list() const
  {
    std::vector<std::string> items;
    for (std::size_t i = 0; i < at.size(); ++i) items.push_back(fmt::format("{} {}", quoted(labels[i]), at[i]));
    for (const double x : minor) items.push_back(fmt::format("'' {} 1", x));
    return fmt::format("({})", fmt::join(items, ", "));
  }
};

}  // namespace

/// Three to eight steps of 1, 2 or 5 times a power of ten.
static Ticks linear_ticks(Range range, double least_step = 0)
{
  const auto [low, high] = range;
  const double longest_step = (high - low) / 3;
  const double decade = std::pow(10, std::floor(std::log10(longest_step)));
  double step = decade;
  for (const double factor : {2.0, 5.0})
    if (factor * decade <= longest_step) step = factor * decade;
  step = std::max(step, least_step);
  const int largest = static_cast<int>(std::floor(std::log10(std::max(std::abs(low), std::abs(high)))));
  const int exponent = largest < -2 || largest > 3 ? largest : 0;
  const double scale = std::pow(10, exponent);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step / scale) + 1e-9)));

  Ticks ticks;
  if (exponent != 0) ticks.factor = "×10" + superscript(std::to_string(exponent));
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    ticks.at.push_back(i * step);
    ticks.labels.push_back(number(i * step / scale, decimals));
  }
  return ticks;
}

// ---- Fields

static Range range_of(const Panel& panel)
{
  if (panel.range) return widened(*panel.range);
  const auto [low, high] = common_range({panel.values});
  const double most = std::max(std::abs(low), std::abs(high));
  return widened(panel.colours == ColourMap::diverging ? Range{-most, most} : Range{low, high});
}

static const char* palette(ColourMap colours)
{
  if (colours == ColourMap::sequential)
    return "set palette defined (0 '#440154', 1 '#481a6c', 2 '#472f7d', 3 '#414487', 4 '#39568c', 5 '#31688e', "
           "6 '#2a788e', 7 '#23888e', 8 '#1f988b', 9 '#22a884', 10 '#35b779', 11 '#54c568', 12 '#7ad151', "
           "13 '#a5db36', 14 '#d2e21b', 15 '#fde725')\n";
  return "set palette defined (0 '#053061', 1 '#2166ac', 2 '#4393c3', 3 '#92c5de', 4 '#d1e5f0', 5 '#f7f7f7', "
         "6 '#fddbc7', 7 '#f4a582', 8 '#d6604d', 9 '#b2182b', 10 '#67001f')\n";
}

/// What can be seen of a field: [y, x], float64, at most 512 values an axis.
static Tensor shown(const Tensor& values)
{
  const Tensor field = values.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const auto ny = std::min<std::int64_t>(field.size(0), 512), nx = std::min<std::int64_t>(field.size(1), 512);
  if (ny == field.size(0) && nx == field.size(1)) return field;
  return torch::adaptive_avg_pool2d(field.unsqueeze(0), {ny, nx}).squeeze(0);
}

static double aspect_of(const Panel& panel)
{
  return panel.aspect.value_or(double(panel.values.size(1)) / double(panel.values.size(0)));
}

static bool share_bar(const Panel& a, const Panel& b)
{
  return a.range && b.range && *a.range == *b.range && a.colours == b.colours && a.unit == b.unit;
}

namespace {

/// A panel's place on the canvas.
struct Place {
  double left, top, width, height;
  bool has_bar;
  Ticks ticks;
  std::string bar_label;
};

struct Layout {
  std::vector<Place> places;
  double width = 0, height = 0;
};

constexpr double margin = 12, title_line = 20;
constexpr double bar_gap = 7, bar_width = 9;

/// Where the label along a colour bar begins, from the bar's left edge.
double behind_ticks(const Ticks& ticks) { return bar_width + 5 + ticks.width(17); }

}  // namespace

static Layout lay_out(const std::vector<Panel>& panels, const std::string& title)
{
  const std::size_t rows = (panels.size() + 3) / 4, columns = rows == 0 ? 1 : (panels.size() + rows - 1) / rows;
  Layout layout;
  double x = margin, y = title.empty() ? 6 : 34, row_height = 0;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const Panel& panel = panels[i];
    const bool last_in_row = (i + 1) % columns == 0 || i + 1 == panels.size();
    Place place;
    place.height = std::clamp(190 / std::sqrt(aspect_of(panel)), 80.0, 300.0);
    place.width = place.height * aspect_of(panel);
    place.left = x;
    place.top = y + title_line;
    place.has_bar = last_in_row || !share_bar(panel, panels[i + 1]);
    place.ticks = linear_ticks(range_of(panel));
    const auto unit = pretty_unit(panel.unit);
    place.bar_label = place.ticks.factor + (place.ticks.factor.empty() || unit.empty() ? "" : " ") + unit;

    double right = x + place.width;
    if (place.has_bar) right += bar_gap + behind_ticks(place.ticks) + (place.bar_label.empty() ? 0 : 16);
    right = std::max(right, x + width_of(panel.title, 21));
    layout.width = std::max(layout.width, right + margin);
    row_height = std::max(row_height, place.height);
    x = right + 12;
    if (last_in_row) {
      x = margin;
      y += title_line + row_height + margin;
      row_height = 0;
    }
    layout.places.push_back(place);
  }
  layout.width = std::max(layout.width, 2 * margin + width_of(title, 24));
  layout.height = y;
  return layout;
}

/// A block of gnuplot's with the streamlines of a panel, on the grid of what is shown of its values.
static std::string stream_block(const Panel& panel, std::size_t number)
{
  const Tensor along_x = shown(panel.flow[0]), along_y = shown(panel.flow[1]);
  const double ny = static_cast<double>(along_x.size(0)), nx = static_cast<double>(along_x.size(1));
  const double cell_aspect = aspect_of(panel) * ny / nx;
  std::string block = fmt::format("$streams{} << END\n", number);
  for (const Streamline& line : streamlines(torch::stack({along_x, along_y * cell_aspect}))) {
    for (const auto& [x, y] : line) block += fmt::format("{:.2f} {:.2f}\n", x, y);
    block += "\n";
  }
  return block + "END\n";
}

void draw_fields(const std::filesystem::path& png, const std::vector<Panel>& panels, const std::string& title)
{
  for (const Panel& panel : panels)
    if (panel.values.dim() != 2)
      throw ShapeError({.doing = doing,
                        .where = fmt::format("{}, panel \"{}\"", png.string(), panel.title),
                        .found = fmt::format("values {}", to_string(panel.values.sizes())),
                        .expected = "[y, x]",
                        .advice = ""});

  const Layout layout = lay_out(panels, title);
  const auto across = [&](double x) { return x / layout.width; };
  const auto up = [&](double y) { return 1 - y / layout.height; };
  std::string script = gnuplot::canvas(png, layout.width, layout.height);
  script +=
      "unset key\nunset tics\n"
      "set border 15 linewidth 0.5 linecolor rgb '#404040'\n"
      "set style line 1 linewidth 0.5 linecolor rgb '#404040'\n"
      "set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#c8c8c8' fillstyle solid noborder\n"
      "set multiplot\n";
  if (!title.empty())
    script +=
        fmt::format("set label 1 {} at screen {:.5f},{:.5f} left font ',24'\n", quoted(title), across(margin), up(20));
  std::string data;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const Place& place = layout.places[i];
    const Tensor field = shown(panels[i].values);
    const auto [low, high] = range_of(panels[i]);
    script += "\n";
    script += palette(panels[i].colours);
    script += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n", across(place.left),
                          across(place.left + place.width));
    script += fmt::format("set tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n", up(place.top),
                          up(place.top + place.height));
    script += fmt::format("set label 2 {} at screen {:.5f},{:.5f} left font ',21'\n", quoted(panels[i].title),
                          across(place.left), up(place.top - title_line / 2 - 1));
    script += fmt::format("set xrange [-0.5:{}]\nset yrange [-0.5:{}]\nset cbrange [{}:{}]\n",
                          double(field.size(1)) - 0.5, double(field.size(0)) - 0.5, low, high);
    if (place.has_bar) {
      const double left = place.left + place.width + bar_gap;
      script +=
          fmt::format("set colorbox vertical user origin screen {:.5f},{:.5f} size screen {:.5f},{:.5f} border 1\n",
                      across(left), up(place.top + place.height), across(bar_width), place.height / layout.height);
      script += fmt::format("set cbtics {} scale 0.4 offset character -0.7,0 font ',17'\n", place.ticks.list());
      script += fmt::format("set label 3 {} at screen {:.5f},{:.5f} center rotate by 90 font ',17'\n",
                            quoted(place.bar_label), across(left + behind_ticks(place.ticks) + 9),
                            up(place.top + place.height / 2));
    } else {
      script += "unset colorbox\nunset label 3\n";
    }
    const bool flows = panels[i].flow.defined();
    if (flows) script += stream_block(panels[i], i);
    script += fmt::format("plot {} index {} matrix with image{}\n", gnuplot::data_of(png), i,
                          flows ? fmt::format(", $streams{} with lines linecolor rgb '#ffffff' linewidth 0.6", i) : "");
    if (i == 0 && !title.empty()) script += "unset label 1\n";

    data +=
        fmt::format("{}# {}, [y, x], unit {}\n", i == 0 ? "" : "\n\n", quoted(panels[i].title), quoted(panels[i].unit));
    const double* value = field.data_ptr<double>();
    for (std::int64_t row = 0; row < field.size(0); ++row)
      for (std::int64_t column = 0; column < field.size(1); ++column)
        data += fmt::format("{:.7g}{}", *value++, column + 1 == field.size(1) ? '\n' : ' ');
  }
  script += "\nunset multiplot\nset output\n";
  gnuplot::draw(png, script, data);
}

// ---- Curves

namespace {

struct Scale {
  Range range;
  Ticks ticks;
  bool logarithmic = false;
};

}  // namespace

static Scale linear_scale(Range range, double least_step = 0) { return {range, linear_ticks(range, least_step)}; }

/// Decades, of which two to seven have a label.
static Scale logarithmic_scale(Range data)
{
  double high = std::log10(data.second);
  double low = std::max(std::log10(data.first), high - 12);  // far below are rounding errors: leave room for the rest
  const double padding = 0.04 * (high - low);
  low -= padding;
  high += padding;
  if (std::floor(high) - std::ceil(low) < 1) {
    low = std::floor(low);
    high = std::max(std::ceil(high), low + 1);
  }
  const int first = static_cast<int>(std::ceil(low)), last = static_cast<int>(std::floor(high));
  const int step = (last - first) / 7 + 1;

  Scale scale{{std::pow(10, low), std::pow(10, high)}, {}, true};
  for (int decade = first; decade <= last; decade += step) {
    scale.ticks.at.push_back(std::pow(10, decade));
    scale.ticks.labels.push_back("10" + superscript(std::to_string(decade)));
  }
  for (int decade = first - 1; step == 1 && decade <= last; ++decade)
    for (int digit = 2; digit <= 9; ++digit)
      if (const double at = digit * std::pow(10, decade); at >= scale.range.first && at <= scale.range.second)
        scale.ticks.minor.push_back(at);
  return scale;
}

/// A scale for all values, with `padding` of its length to spare at each end if it is linear.
static Scale scale_for(std::vector<Tensor> values, bool logarithmic, double padding)
{
  if (logarithmic) {
    for (Tensor& value : values) value = value.masked_select(value > 0);
    const Range range = common_range(values);
    return logarithmic_scale(range.first > 0 ? range : Range{1, 10});
  }
  const auto [low, high] = widened(common_range(values));
  return linear_scale({low - padding * (high - low), high + padding * (high - low)});
}

/// From thick to thin, so that a curve on top of another lets it be seen. Colours: Okabe and Ito (2008).
static std::string line_style(std::size_t curve, std::size_t curves)
{
  static const std::array<const char*, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#404040"};
  const double thinner = curves > 1 ? double(curve) / double(curves - 1) : 0.5;
  return fmt::format("linewidth {:.2f} linecolor rgb '{}'", 2 - thinner, colours[curve % colours.size()]);
}

/// Canvas, axes, title and legend.
static std::string frame(const std::filesystem::path& png, const Axes& axes, const Scale& x, const Scale& y,
                         const std::vector<std::string>& names)
{
  const double width = 460, plot_height = 225, legend_line = 16, sample = 22;
  const double left = 8 + (axes.y.empty() ? 0 : 18) + y.ticks.width(18) + 8;
  const double last_label = x.ticks.labels.empty() ? 0 : width_of(x.ticks.labels.back(), 18);
  const double right = width - std::max(14.0, last_label / 2 + 6);

  struct Entry {
    std::size_t curve;
    double left, top;
  };
  std::vector<Entry> legend;
  double next = left, top = axes.title.empty() ? 6 : 28;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    const double length = sample + 6 + width_of(names[i], 18);
    if (next > left && next + length > right) {
      next = left;
      top += legend_line;
    }
    legend.push_back({i, next, top});
    next += length + 14;
  }
  if (!legend.empty()) top += legend_line;
  top += legend.empty() && !y.ticks.factor.empty() ? 16 : 7;
  const double bottom = top + plot_height, height = bottom + (axes.x.empty() && x.ticks.factor.empty() ? 24 : 44);

  const auto at = [&](double px, double py) {
    return fmt::format("screen {:.5f},screen {:.5f}", px / width, 1 - py / height);
  };
  std::string script = gnuplot::canvas(png, width, height);
  const auto text = [&](const std::string& words, double px, double py, const std::string& how) {
    if (!words.empty()) script += fmt::format("set label {} at {} {}\n", quoted(words), at(px, py), how);
  };
  script += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n", left / width, right / width);
  script += fmt::format("set tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n", 1 - top / height,
                        1 - bottom / height);
  script +=
      "unset key\n"
      "set border 3 linewidth 0.75 linecolor rgb '#404040'\n"
      "set grid linetype 1 linewidth 0.5 linecolor rgb '#e4e4e4'\n";
  const char* const tics = "nomirror out scale 0.6,0.35 font ',18' textcolor rgb '#202020'";
  script += fmt::format("set xtics {} {} offset 0,0.3\nset ytics {} {} offset 0.4,0\n", tics, x.ticks.list(), tics,
                        y.ticks.list());
  script += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", x.range.first, x.range.second, y.range.first,
                        y.range.second);
  if (x.logarithmic) script += "set logscale x\n";
  if (y.logarithmic) script += "set logscale y\n";
  const double title_font = 22 * std::min(1.0, (width - left - 8) / std::max(1.0, width_of(axes.title, 22)));
  text(axes.title, left, 16, fmt::format("left font ',{:.1f}'", title_font));
  text(axes.x, (left + right) / 2, bottom + 33, "center font ',20'");
  text(axes.y, 14, (top + bottom) / 2, "center rotate by 90 font ',20'");
  text(x.ticks.factor, width - 8, bottom + 33, "right font ',18'");
  text(y.ticks.factor, left - 4, top - 10, "right font ',18'");
  for (const Entry& entry : legend) {
    script += fmt::format("set arrow from {} to {} nohead {}\n", at(entry.left, entry.top + legend_line / 2),
                          at(entry.left + sample, entry.top + legend_line / 2), line_style(entry.curve, names.size()));
    text(names[entry.curve], entry.left + sample + 6, entry.top + legend_line / 2, "left font ',18'");
  }
  return script;
}

static std::string columns_of(const Tensor& x, const Tensor& y)
{
  const Tensor xs = x.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const Tensor ys = y.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  std::string text;
  for (std::int64_t i = 0; i < xs.numel(); ++i)
    text += fmt::format("{:.10g} {:.10g}\n", xs.data_ptr<double>()[i], ys.data_ptr<double>()[i]);
  return text;
}

void draw_curves(const std::filesystem::path& png, const std::vector<Curve>& curves, const Axes& axes)
{
  std::vector<Tensor> x, y;
  std::vector<std::string> names;
  std::string data, plots;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const Curve& curve = curves[i];
    if (curve.x.dim() != 1 || curve.x.sizes() != curve.y.sizes())
      throw ShapeError({.doing = doing,
                        .where = fmt::format("{}, curve \"{}\"", png.string(), curve.name),
                        .found = fmt::format("x {}, y {}", to_string(curve.x.sizes()), to_string(curve.y.sizes())),
                        .expected = "as many x as y, [point]",
                        .advice = ""});
    x.push_back(curve.x);
    y.push_back(curve.y);
    names.push_back(curve.name);
    data += fmt::format("{}# {}\n", i == 0 ? "" : "\n\n", quoted(curve.name)) + columns_of(curve.x, curve.y);
    plots += fmt::format("{}{} index {} with {} {}", i == 0 ? "plot " : ", \\\n     ", gnuplot::data_of(png), i,
                         curve.points ? "points pointtype 7 pointsize 0.7" : "lines", line_style(i, curves.size()));
  }
  const auto script = frame(png, axes, scale_for(x, axes.log_x, 0), scale_for(y, axes.log_y, 0.04), names);
  gnuplot::draw(png, script + plots + "\nset output\n", data);
}

void draw_marks(const std::filesystem::path& png, const std::vector<std::string>& labels,
                const std::vector<Marks>& marks, const Axes& axes)
{
  const auto n = static_cast<std::int64_t>(labels.size());
  std::vector<Tensor> ends;
  std::vector<std::string> names;
  std::string data, plots;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const Tensor& x = marks[i].x;
    const Tensor bar = marks[i].deviation.defined() ? marks[i].deviation : torch::zeros_like(x);
    if (x.dim() != 1 || x.size(0) != n || bar.sizes() != x.sizes())
      throw ShapeError({.doing = doing,
                        .where = fmt::format("{}, marks \"{}\"", png.string(), marks[i].name),
                        .found = fmt::format("numbers {}, deviations {}", to_string(x.sizes()), to_string(bar.sizes())),
                        .expected = fmt::format("[{}], one a label", n),
                        .advice = ""});
    ends.push_back(x - bar);
    ends.push_back(x + bar);
    names.push_back(marks[i].name);
    const double shift = 0.24 * (static_cast<double>(marks.size() - 1) / 2 - static_cast<double>(i));
    data += fmt::format("{}# {}: number, height, deviation\n", i == 0 ? "" : "\n\n", quoted(marks[i].name));
    for (std::int64_t label = 0; label < n; ++label)
      if (const double at = x[label].item<double>(); std::isfinite(at))
        data += fmt::format("{:.10g} {:.10g} {:.10g}\n", at, static_cast<double>(n - 1 - label) + shift,
                            bar[label].item<double>());
    plots += fmt::format("{}{} index {} with xerrorbars pointtype 7 pointsize 0.9 {}", i == 0 ? "plot " : ", \\\n     ",
                         gnuplot::data_of(png), i, line_style(i, marks.size()));
  }
  ends.push_back(torch::zeros({1}, torch::kFloat64));
  Scale y{.range = {-0.6, static_cast<double>(n) - 0.4}, .ticks = {}, .logarithmic = false};
  for (std::int64_t label = 0; label < n; ++label) {
    y.ticks.at.push_back(static_cast<double>(n - 1 - label));
    y.ticks.labels.push_back(labels[static_cast<std::size_t>(label)]);
  }
  gnuplot::draw(
      png, frame(png, axes, scale_for(ends, /*logarithmic=*/false, 0.04), y, names) + plots + "\nset output\n", data);
}

void draw_histogram(const std::filesystem::path& png, const Tensor& values, const Axes& axes)
{
  const Tensor sorted = std::get<0>(finite_values(values).sort());
  const auto n = sorted.numel();
  if (n == 0)
    throw DataError({.doing = doing,
                     .where = png.string(),
                     .found = "no finite value",
                     .expected = "values to count",
                     .advice = ""});
  const auto quantile = [&](double q) { return sorted[std::llround(q * double(n - 1))].item<double>(); };
  const auto [low, high] = widened({quantile(0), quantile(1)});
  const double rule = 2 * (quantile(0.75) - quantile(0.25)) / std::cbrt(double(n));
  const auto bins = static_cast<std::int64_t>(rule > 0 ? std::clamp(std::ceil((high - low) / rule), 5.0, 60.0) : 5);
  const Tensor counts = torch::histc(sorted, bins, low, high);
  const Tensor centres = low + (torch::arange(bins, torch::kFloat64) + 0.5) * (high - low) / double(bins);
  const double most = counts.max().item<double>();

  auto script = frame(png, axes, linear_scale({low, high}), linear_scale({0, 1.3 * most}, 1), {});
  script += fmt::format("set boxwidth {}\nset style fill solid 1 border rgb '#ffffff'\nset grid noxtics\n",
                        (high - low) / double(bins));
  double top = 1.26;
  for (const auto& [q, name] : {std::pair{0.5, "median"}, std::pair{0.95, "95 % below"}}) {
    const double at = quantile(q);
    const bool before = at > (low + high) / 2;  // the text is before its line
    script += fmt::format("set arrow from {0},0 to {0},{1} nohead front linewidth 0.8 linecolor rgb '#404040'\n", at,
                          top * most);
    script += fmt::format("set label {} at {},{} {} offset {},0 front font ',18'\n",
                          quoted(fmt::format("{} {:.3g}", name, at)), at, (top - 0.03) * most,
                          before ? "right" : "left", before ? -0.6 : 0.6);
    top -= 0.11;
  }
  script += fmt::format("plot {} with boxes {}\nset output\n", gnuplot::data_of(png), line_style(0, 1));
  gnuplot::draw(png, script, "# centre of the bin, values in it\n" + columns_of(centres, counts));
}

// ---- Spectra

Spectrum radial_spectrum(const Tensor& field)
{
  if (field.dim() != 2 && field.dim() != 3)
    throw ShapeError({.doing = "computing a spectrum",
                      .where = "",
                      .found = to_string(field.sizes()),
                      .expected = "[y, x] or [batch, y, x]",
                      .advice = ""});
  const Tensor u = field.detach().to(torch::kCPU, torch::kFloat64);
  const auto ny = u.size(-2), nx = u.size(-1);
  const Tensor modes = torch::fft::fft2(u) / double(ny * nx);
  Tensor power = modes.abs().square();
  if (power.dim() == 3) power = power.mean(0);

  const auto ky = torch::fft::fftfreq(ny, 1.0 / double(ny), torch::kFloat64).unsqueeze(1);
  const auto kx = torch::fft::fftfreq(nx, 1.0 / double(nx), torch::kFloat64);
  const Tensor shell = (ky.square() + kx.square()).sqrt().add(0.5).floor().to(torch::kInt64);
  const Tensor energy = torch::bincount(shell.flatten(), power.flatten());
  return {torch::arange(energy.numel(), torch::kFloat64), energy};
}

}  // namespace locum::io

#include "calendar.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>

namespace locum::io {

namespace {

struct Date {
  std::int64_t year, month, day;
};

using Months = std::array<std::int64_t, 12>;
constexpr Months common = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr Months leap = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// A calendar whose years are all alike.
struct RegularCalendar {
  Months months;

  std::int64_t year_length() const
  {
    std::int64_t days = 0;
    for (const auto month : months) days += month;
    return days;
  }
  std::int64_t day_number(const Date& date) const
  {
    std::int64_t days = date.year * year_length() + date.day - 1;
    for (std::int64_t m = 1; m < date.month; ++m) days += months[static_cast<std::size_t>(m - 1)];
    return days;
  }
  Date date(std::int64_t number) const
  {
    const std::int64_t year = floor_divide(number, year_length());
    std::int64_t day = number - year * year_length();
    std::int64_t month = 1;
    while (day >= months[static_cast<std::size_t>(month - 1)]) day -= months[static_cast<std::size_t>(month++ - 1)];
    return {year, month, day + 1};
  }
};

/// Julian day number of a date, as the Julian or the Gregorian calendar counts. Years start in March, so that the leap
/// day is the last: (153 m + 2) / 5 days are before month m of such a year.
std::int64_t julian_day(const Date& date, bool gregorian)
{
  const std::int64_t late = date.month <= 2 ? 1 : 0;
  const std::int64_t y = date.year + 4800 - late, m = date.month + 12 * late - 3;
  const std::int64_t days = date.day + (153 * m + 2) / 5 + 365 * y + floor_divide(y, 4);
  return gregorian ? days - floor_divide(y, 100) + floor_divide(y, 400) - 32045 : days - 32083;
}

Date date_of_julian_day(std::int64_t number, bool gregorian)
{
  std::int64_t year = floor_divide(number - 1721060, 365) + 1;  // an upper bound, refined by looking
  while (julian_day({year, 1, 1}, gregorian) > number) --year;
  std::int64_t month = 12;
  while (julian_day({year, month, 1}, gregorian) > number) --month;
  return {year, month, number - julian_day({year, month, 1}, gregorian) + 1};
}

constexpr std::int64_t reform = 2299161;  // Julian day number of 15 October 1582

bool is_known(const std::string& calendar)
{
  for (const char* name : {"standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "365_day", "all_leap",
                           "366_day", "360_day"})
    if (calendar == name) return true;
  return false;
}

RegularCalendar regular(const std::string& calendar)
{
  if (calendar == "360_day") {
    RegularCalendar months;
    months.months.fill(30);
    return months;
  }
  return {calendar == "all_leap" || calendar == "366_day" ? leap : common};
}

std::int64_t day_number(const Date& date, const std::string& calendar)
{
  if (calendar == "julian") return julian_day(date, false);
  if (calendar == "proleptic_gregorian") return julian_day(date, true);
  if (calendar == "standard" || calendar == "gregorian") {
    const std::int64_t number = julian_day(date, true);
    return number >= reform ? number : julian_day(date, false);
  }
  return regular(calendar).day_number(date);
}

Date date_from(std::int64_t number, const std::string& calendar)
{
  if (calendar == "julian") return date_of_julian_day(number, false);
  if (calendar == "proleptic_gregorian") return date_of_julian_day(number, true);
  if (calendar == "standard" || calendar == "gregorian") return date_of_julian_day(number, number >= reform);
  return regular(calendar).date(number);
}

}  // namespace

std::optional<std::string> date_of(double value, const std::string& unit, const std::string& calendar)
{
  static const std::map<std::string, double> seconds_in = {
      {"s", 1},        {"sec", 1},      {"second", 1}, {"seconds", 1}, {"min", 60},
      {"minute", 60},  {"minutes", 60}, {"h", 3600},   {"hr", 3600},   {"hour", 3600},
      {"hours", 3600}, {"hrs", 3600},   {"d", 86400},  {"day", 86400}, {"days", 86400}};
  const auto since = unit.find(" since ");
  if (since == std::string::npos || !is_known(calendar) || !std::isfinite(value)) return std::nullopt;
  const auto step = seconds_in.find(unit.substr(0, since));
  long year = 0, month = 0, day = 0;
  int hours = 0, minutes = 0;
  double seconds = 0;
  const int read = std::sscanf(unit.c_str() + since + 7, "%ld-%ld-%ld%*1[T ]%d:%d:%lf", &year, &month, &day, &hours,
                               &minutes, &seconds);
  if (step == seconds_in.end() || read < 3 || std::abs(year) > 1000000 || month < 1 || month > 12 || day < 1 ||
      day > 31)
    return std::nullopt;

  // Whole seconds: rounding must not show 23:59:60.
  const double of_day = hours * 3600.0 + minutes * 60.0 + seconds + value * step->second;
  constexpr double most = 1e15;
  if (std::abs(of_day) > most) return std::nullopt;
  const auto total = static_cast<std::int64_t>(std::llround(of_day));
  const std::int64_t days = floor_divide(total, 86400), rest = total - days * 86400;
  const Date date = date_from(day_number({year, month, day}, calendar) + days, calendar);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.year, date.month, date.day, rest / 3600,
                     rest / 60 % 60, rest % 60);
}

}  // namespace locum::io

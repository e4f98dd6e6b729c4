#pragma once
#include <optional>
#include <string>

namespace locum::io {

/// The date of a time in CF's way of telling it, "1999-12-30 06:00:00": CF conventions 1.11, section 4.4.
/// @param value     in the unit's unit: seconds, minutes, hours or days
/// @param unit      "hours since 1970-01-01 00:00:00"; the time of day may be missing, a time zone is not read
/// @param calendar  standard or gregorian (Julian before 15 October 1582), proleptic_gregorian, julian, noleap or
///                  365_day, all_leap or 366_day, 360_day
/// @return          nothing if unit or calendar are none of these
std::optional<std::string> date_of(double value, const std::string& unit, const std::string& calendar);

}  // namespace locum::io

#pragma once
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <cstdint>

namespace locum::physics {

/// @throws OptionError  naming the first option of an equation that is not a positive, finite number.
void require_positive(const std::string& equation, std::initializer_list<std::pair<const char*, double>> options);
/// @throws OptionError  naming the first option of an equation that is negative or not finite.
void require_not_negative(const std::string& equation, std::initializer_list<std::pair<const char*, double>> options);
/// @throws OptionError  unless `cells` are of so many axes, and at least 4 along each.
void require_axes(const std::string& equation, const std::vector<std::int64_t>& cells, std::size_t axes);

}  // namespace locum::physics

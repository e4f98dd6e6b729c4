#pragma once
#include <string>
#include <vector>

namespace locum::cli {

/// Rows of text below one another, the first of them the heading: each column as wide as its widest entry, all but the
/// first to the right. Lines end without spaces; the last has no line end.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace locum::cli

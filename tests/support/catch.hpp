#pragma once
#include <string>
#include <vector>

// The one file that knows which Catch2 is installed. Use what both versions spell alike.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // v3
#else
#include <catch2/catch.hpp>  // v2
#endif
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

// Some builds of libtorch define operator<< for a vector of anything, and Catch2 believes it.
template <class T>
struct Catch::StringMaker<std::vector<T>> {
  static std::string convert(const std::vector<T>& values) { return rangeToString(values); }
};

#pragma once
// The one file that knows which Catch2 is installed. Use what both versions spell alike.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // v3
#else
#include <catch2/catch.hpp>  // v2
#endif
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

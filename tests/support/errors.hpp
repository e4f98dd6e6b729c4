#pragma once
#include <locum/core/error.hpp>

#include <string>

#include "catch.hpp"

namespace locum::tests {

/// Runs `work`, which must throw a locum::Error, and returns what its user would read.
template <class Work>
std::string message_of(Work&& work)
{
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("expected an error");
  return {};
}

/// Whether every word stands in the text.
inline bool says(const std::string& text, std::initializer_list<const char*> words)
{
  for (const char* word : words)
    if (text.find(word) == std::string::npos) {
      UNSCOPED_INFO("missing \"" << word << "\" in:\n" << text);
      return false;
    }
  return true;
}

}  // namespace locum::tests

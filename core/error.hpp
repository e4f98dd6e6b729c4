#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace locum {

/// What a user needs to understand and repair a failure.
struct Report {
  std::string doing;     ///< The task, in the user's words: "reading training samples".
  std::string where;     ///< File, dataset, option, line.
  std::string found;     ///< The value, with its unit or shape.
  std::string expected;  ///< What would have been accepted.
  std::string advice;    ///< The next thing to type or change.
};

/// Base of every exception locum throws. what() reads
///     doing: where
///       found found; expected expected
///       try   advice
/// leaving out what is empty, and as printable() makes it: the fields may hold anything a file holds.
class Error : public std::runtime_error {
 public:
  explicit Error(Report report);
  const Report& report() const noexcept { return report_; }

 private:
  Report report_;
};

/// A file's content is not what was expected: missing dataset, wrong axes, NaN, truncated, foreign.
class DataError : public Error {
 public:
  using Error::Error;
};

/// An option of a case file or the command line is unknown, malformed or out of range.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// Tensors, grids or channels do not fit each other.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A solver failed: diverged, or was given a problem it cannot solve.
class SolverError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: no permission, disk full, no such folder.
class SystemError : public Error {
 public:
  using Error::Error;
};

/// Thrown by agree() on the ranks that did not fail themselves.
class RankError : public Error {
 public:
  /// @param rank     first rank that failed
  /// @param message  what its exception said
  RankError(int rank, const std::string& message);
};

/// The name in `known` nearest to `name`, or "" if none is near enough to be a slip of the keyboard. Names of more than
/// 200 bytes are near to none.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace locum

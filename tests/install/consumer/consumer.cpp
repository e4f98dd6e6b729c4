#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

#include <iostream>

// Uses the installed package as a user's program would; says what it found, returns 0 if that is right.
int main()
{
  locum::Sample room;
  room.domain = locum::Grid::cell_centres({8, 16}, {1, 2});
  room.fields["temperature"] = {torch::full({3, 1, 8, 16}, 293.0), "K"};

  try {
    room.field("temprature");
  } catch (const locum::Error& error) {
    std::cout << error.what() << "\n";
    return room.batch() == 3 && std::string(error.what()).find("temperature") != std::string::npos ? 0 : 1;
  }
  return 1;
}

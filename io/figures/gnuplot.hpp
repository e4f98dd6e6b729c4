#pragma once
// How figure.cpp runs gnuplot.
#include <filesystem>
#include <string>

namespace locum::io::gnuplot {

/// Text in single quotes, where gnuplot takes everything but the quote as it is.
std::string quoted(const std::string& text);

/// The data of NAME.png as its script names it: './NAME.dat'.
std::string data_of(const std::filesystem::path& png);

/// First lines of a script: a PNG of this size in points (1/72 inch), two pixels a point, text taken literally.
std::string canvas(const std::filesystem::path& png, double width, double height);

/// Writes NAME.dat and NAME.gp beside NAME.png and runs `gnuplot NAME.gp` there, without a shell and without the
/// user's start-up file.
/// @throws SystemError  if a file cannot be written, gnuplot is not on PATH, or with what gnuplot complained about.
void draw(const std::filesystem::path& png, const std::string& script, const std::string& data);

}  // namespace locum::io::gnuplot

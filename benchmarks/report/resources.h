// Files of this folder, and Chart.js, as they were when the program was built
// (cmake/HvbenchEmbed.cmake).
#pragma once

#include <string_view>

namespace hvbench::resources {

std::string_view PageHtml();
std::string_view PageCss();
std::string_view ModelJs();
std::string_view PageJs();
std::string_view ChartsJs();
std::string_view ChartJs();  // the library

}  // namespace hvbench::resources

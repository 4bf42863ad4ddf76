#include <benchmarks/suite.h>

#include "nice_launcher.h"

int main(int argc, char** argv) {
  hvbench::RegisterLauncher({"nice", MakeNice});
  return hvbench::Main(argc, argv);
}

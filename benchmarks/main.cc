#include "benchmarks/suite.h"

int main(int argc, char** argv) { return hvbench::Main(argc, argv); }

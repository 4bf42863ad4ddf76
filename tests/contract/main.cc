#include "tests/contract/contract_environment.h"

int main(int argc, char** argv) { return hvbench::RunContractTests(argc, argv); }

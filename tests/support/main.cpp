// The main function of every doctest program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>

int main(int argc, char** argv) {
    // As ctest sets it, so that a program can also be run by hand, all its cases in one process.
    ::setenv("TOPRESS_TEST_SOURCE_DIR", TOPRESS_TEST_SOURCE_DIR, 0);
    doctest::Context context(argc, argv);
    context.setOption("no-intro", true);
    return context.run();
}

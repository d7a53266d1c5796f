// The main function of every doctest program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    context.setOption("no-intro", true);
    return context.run();
}

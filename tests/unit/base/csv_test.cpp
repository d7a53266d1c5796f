// Tests base/csv.cpp.
#include "base/csv.hpp"

#include <doctest/doctest.h>

using topress::csv_cell;

TEST_CASE("csv: a cell is quoted only where it would be read as something else") {
    CHECK(csv_cell("T-shirt/top") == "T-shirt/top");
    CHECK(csv_cell("").empty());
    CHECK(csv_cell("a,b") == "\"a,b\"");
    CHECK(csv_cell("5\" disk") == "\"5\"\" disk\"");
    CHECK(csv_cell("two\nlines") == "\"two\nlines\"");
}

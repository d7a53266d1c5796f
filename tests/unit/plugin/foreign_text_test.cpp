// Texts of plugins before they are shown.
#include "plugin/foreign_text.hpp"

#include <doctest/doctest.h>

#include <cstring>

using topress::plugin::plain_text;
using namespace std::string_view_literals;

TEST_CASE("foreign_text: a good text stays as it is") {
    CHECK(plain_text("zwölf €, 漢字 🙂"sv) == "zwölf €, 漢字 🙂");
    CHECK(plain_text(""sv).empty());
}

TEST_CASE("foreign_text: it ends at a zero, a line break or its field") {
    CHECK(plain_text("first\nsecond"sv) == "first");
    CHECK(plain_text("first\r\nsecond"sv) == "first");
    CHECK(plain_text("one\0two"sv) == "one");
    char field[4];
    std::memset(field, 'x', sizeof(field));
    CHECK(plain_text(field) == "xxxx");
}

TEST_CASE("foreign_text: control characters cannot reach a terminal") {
    CHECK(plain_text("\x1b[31mred\a\x7f"sv) == "?[31mred??");
    CHECK(plain_text("a\tb"sv) == "a b");
    CHECK(plain_text("\xc2\x9b"
                     "31m"sv) == "?31m");
}

TEST_CASE("foreign_text: what is no UTF-8 becomes question marks") {
    CHECK(plain_text("\xff\xfe"sv) == "??");
    CHECK(plain_text("a\xc3"sv) == "a?");
    CHECK(plain_text("\xc0\xaf"sv) == "??");            // overlong '/'
    CHECK(plain_text("\xe0\x80\xaf"sv) == "???");       // overlong '/'
    CHECK(plain_text("\xed\xa0\x80"sv) == "???");       // surrogate
    CHECK(plain_text("\xf4\x90\x80\x80"sv) == "????");  // above U+10FFFF
    CHECK(plain_text("\xf0\x9f\x99"sv) == "???");       // cut
}

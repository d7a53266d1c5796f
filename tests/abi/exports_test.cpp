// Every plugin built here exports exactly one symbol: its entry.
#include <topress/abi.h>

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

fs::path binary_folder() {
    return TOPRESS_TEST_BINARY_FOLDER;
}

// Names of the defined dynamic symbols, as nm of binutils prints them: "address type name".
std::vector<std::string> exported_symbols(const fs::path& library) {
    const std::string command = "nm -D --defined-only '" + library.string() + "'";
    FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::vector<std::string> names;
    std::array<char, 1024> line{};
    while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
        const std::string text(line.data());
        const std::size_t name = text.rfind(' ') + 1;
        names.push_back(text.substr(name, text.find_last_not_of('\n') + 1 - name));
        // The address sanitizer puts a companion beside every exported object.
        if (names.back().starts_with("__odr_asan.")) {
            names.pop_back();
        }
    }
    REQUIRE(::pclose(pipe) == 0);
    return names;
}

#if TOPRESS_WITH_TORCH
int check_folder(const fs::path& folder) {
    int count = 0;
    for (const auto& file : fs::directory_iterator(folder)) {
        if (file.path().extension() == ".so") {
            CAPTURE(file.path().string());
            CHECK(exported_symbols(file.path()) == std::vector<std::string>{TOPRESS_ENTRY_SYMBOL});
            ++count;
        }
    }
    return count;
}
#endif

}  // namespace

TEST_CASE("exports: a plugin in C exports its entry alone") {
    CHECK(exported_symbols(binary_folder() / "fixtures/plugins/good.so") ==
          std::vector<std::string>{TOPRESS_ENTRY_SYMBOL});
}

TEST_CASE("exports: the check sees a library that exports something else") {
    CHECK(exported_symbols(binary_folder() / "fixtures/plugins/missing_symbol.so") ==
          std::vector<std::string>{"some_other_entry"});
}

#if TOPRESS_WITH_TORCH
TEST_CASE("exports: plugins made by topress_add_plugin export their entry alone") {
    CHECK(check_folder(binary_folder() / "fixtures/sdk_plugins") > 0);
}

TEST_CASE("exports: every bundled plugin exports its entry alone") {
    CHECK(check_folder(binary_folder() / "lib/topress/plugins") > 0);
}
#endif

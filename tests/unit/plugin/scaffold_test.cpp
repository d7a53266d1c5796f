// Plugin projects from templates: names, placeholders, and that a mistake leaves nothing behind.
#include "plugin/scaffold.hpp"

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

/// Two small templates and what they share.
fs::path make_templates(const TemporaryFolder& folder) {
    const fs::path templates = folder.path() / "templates";
    for (const char* path : {"common", "weights/tests", "pruning"}) {
        fs::create_directories(templates / path);
    }
    write_file_atomically(templates / "common/README.md", "shared");
    write_file_atomically(templates / "common/CMakeLists.txt", "project(TEMPLATE_NAME)");
    write_file_atomically(templates / "weights/README.md", "own TEMPLATE_TECHNIQUE");
    write_file_atomically(templates / "weights/tests/TEMPLATE_NAME_test.txt",
                          "TEMPLATE_ID TEMPLATE_LABEL TEMPLATE_CLASS TEMPLATE_CLASS");
    write_file_atomically(templates / "pruning/TEMPLATE_NAME.cpp", "// pruning");
    return templates;
}

template <class Function>
Diagnostic mistake_of(Function&& function) {
    try {
        function();
    } catch (const DiagnosticError& error) {
        REQUIRE(error.diagnostics().size() == 1);
        CHECK(error.status() == ExitStatus::Usage);
        return error.diagnostics().front();
    }
    FAIL("no mistake was reported");
    return {};
}

std::size_t count_entries(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("scaffold: names are derived from the plugin id") {
    const ScaffoldNames names = scaffold_names("org.example.weight-noise_2");
    CHECK(names.technique == "example.weight-noise_2");
    CHECK(names.label == "weight-noise_2");
    CHECK(names.name == "weight_noise_2");
    CHECK(names.class_name == "WeightNoise2");
    CHECK(scaffold_names("a.b").technique == "a.b");
}

TEST_CASE("scaffold: a name that CMake uses itself gets a suffix") {
    for (const char* word : {"test", "install", "all", "topress"}) {
        CAPTURE(word);
        CHECK(scaffold_names(std::string("org.example.") + word).name ==
              std::string(word) + "_plugin");
    }
}

TEST_CASE("scaffold: an id that is no reverse DNS is refused") {
    for (const char* id :
         {"", "shrink", "org.Example.x", "org..x", "../x.y", "org.example.", "o.2x"}) {
        CAPTURE(id);
        CHECK(mistake_of([&] { static_cast<void>(scaffold_names(id)); }).code ==
              "usage/bad-plugin-id");
    }
}

TEST_CASE("scaffold: texts and file names are filled in, own files go before shared ones") {
    const TemporaryFolder folder;
    const fs::path templates = make_templates(folder);
    const fs::path target = folder.path() / "deep er/project";
    const Scaffold made = write_scaffold({"org.example.thin", "weights", target}, templates);
    CHECK(made.files ==
          std::vector<std::string>{"CMakeLists.txt", "README.md", "tests/thin_test.txt"});
    CHECK(made.directory == target);
    CHECK(read_file(target / "CMakeLists.txt") == "project(thin)");
    CHECK(read_file(target / "README.md") == "own example.thin");
    CHECK(read_file(target / "tests/thin_test.txt") == "org.example.thin thin Thin Thin");
    CHECK(count_entries(target.parent_path()) == 1);
}

TEST_CASE("scaffold: an empty folder is taken, one with a file is refused and left alone") {
    const TemporaryFolder folder;
    const fs::path templates = make_templates(folder);
    const fs::path target = folder.path() / "project";
    fs::create_directory(target);
    static_cast<void>(write_scaffold({"a.b", "pruning", target}, templates));
    CHECK(fs::exists(target / "b.cpp"));

    fs::remove_all(target);
    fs::create_directory(target);
    write_file_atomically(target / "mine.txt", "mine");
    const auto again = [&] {
        static_cast<void>(write_scaffold({"a.b", "pruning", target}, templates));
    };
    CHECK(mistake_of(again).code == "usage/folder-not-empty");
    CHECK(count_entries(target) == 1);
    fs::remove_all(target);
    write_file_atomically(target, "a file");
    CHECK(mistake_of(again).code == "usage/folder-not-empty");
    CHECK(count_entries(folder.path()) == 2);
}

TEST_CASE("scaffold: the current folder is not replaced under the user") {
    const TemporaryFolder folder;
    const fs::path templates = make_templates(folder);
    const fs::path target = folder.path() / "here";
    fs::create_directory(target);
    const fs::path before = fs::current_path();
    fs::current_path(target);
    const Diagnostic mistake =
        mistake_of([&] { static_cast<void>(write_scaffold({"a.b", "pruning", "."}, templates)); });
    fs::current_path(before);
    CHECK(mistake.code == "usage/folder-not-empty");
    CHECK(count_entries(target) == 0);
}

TEST_CASE("scaffold: an unknown template is answered with the nearest one, and nothing is made") {
    const TemporaryFolder folder;
    const fs::path templates = make_templates(folder);
    const fs::path target = folder.path() / "project";
    const auto hint_for = [&](const std::string& name) {
        const Diagnostic mistake = mistake_of(
            [&] { static_cast<void>(write_scaffold({"a.b", name, target}, templates)); });
        CHECK(mistake.code == "usage/unknown-template");
        return mistake.hint;
    };
    CHECK(hint_for("prunning") == "did you mean 'pruning'? there are: pruning, weights");
    CHECK(hint_for("zzz") == "there are: pruning, weights");
    CHECK(hint_for("common") == "there are: pruning, weights");
    CHECK(!fs::exists(target));
}

TEST_CASE("scaffold: a template that cannot be read leaves nothing behind") {
    const TemporaryFolder folder;
    const fs::path templates = make_templates(folder);
    // Longer than any file name may be, once it is filled in.
    write_file_atomically(templates / "pruning" / ("TEMPLATE_CLASS" + std::string(200, 'x')), "x");
    const std::string id = "org." + std::string(100, 'y');
    const fs::path target = folder.path() / "project";
    CHECK_THROWS_AS(static_cast<void>(write_scaffold({id, "pruning", target}, templates)), Error);
    CHECK(!fs::exists(target));
    CHECK(count_entries(folder.path()) == 1);
}

TEST_CASE("scaffold: installed templates go before those of the source tree") {
    const TemporaryFolder folder;
    const fs::path installed = folder.path() / "share/topress/templates";
    const fs::path program = folder.path() / "bin/topress";
    const fs::path source = find_templates(program);
    CHECK(source != installed);
    CHECK(template_names(source) != std::vector<std::string>{});
    fs::create_directories(installed / "common");
    CHECK(find_templates(program) == installed);
}

TEST_CASE("scaffold: the templates of the source tree leave no placeholder behind") {
    const TemporaryFolder folder;
    const fs::path templates = find_templates(folder.path() / "bin/topress");
    for (const std::string& name : template_names(templates)) {
        const fs::path target = folder.path() / name;
        const Scaffold made = write_scaffold({"org.example.thin-down", name, target}, templates);
        for (const char* file : {"CMakeLists.txt",
                                 "CMakePresets.json",
                                 "LICENSE",
                                 "README.md",
                                 "demo.toml",
                                 "plugin.toml",
                                 "tests/demo_test.cmake",
                                 "thin_down.cpp"}) {
            CAPTURE(file);
            CHECK(std::ranges::count(made.files, file) == 1);
        }
        for (const std::string& file : made.files) {
            CAPTURE(file);
            CHECK(read_file(target / file).find("TEMPLATE_") == std::string::npos);
        }
    }
}

TEST_CASE("scaffold: the weights template is a class of 25 lines and five lines of CMake") {
    const fs::path templates = find_templates("/nowhere/bin/topress");
    const auto lines_of = [](const fs::path& file) {
        const std::string text = read_file(file);
        return std::ranges::count(text, '\n');
    };
    CHECK(lines_of(templates / "weights/TEMPLATE_NAME.cpp") <= 25);
    CHECK(lines_of(templates / "common/CMakeLists.txt") <= 5);
}

TEST_CASE("scaffold: the licence of new projects is the text of topress's own") {
    const fs::path templates = find_templates("/nowhere/bin/topress");
    CHECK(read_file(templates / "common/LICENSE") ==
          read_file(templates.parent_path().parent_path() / "LICENSE"));
}

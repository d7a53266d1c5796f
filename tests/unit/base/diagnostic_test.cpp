// Facts about the text of diagnostics.
#include "base/diagnostic.hpp"

#include "base/files.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>

using topress::Diagnostic;
using topress::Diagnostics;
using topress::Location;
using topress::render;
using topress::Severity;

namespace {

Diagnostic make(Location where, std::string hint = {}) {
    return {Severity::Error, "config/unknown-key", "unknown key 'dpeth'", where, {}, hint};
}

// The rendered text without the folder, which differs from run to run.
std::string render_in(const TemporaryFolder& folder, const Diagnostic& diagnostic) {
    std::string text = render(diagnostic);
    const std::string prefix = folder.path().string() + "/";
    const auto at = text.find(prefix);
    return at == std::string::npos ? text : text.erase(at, prefix.size());
}

}  // namespace

TEST_CASE("diagnostic: header place quoted line caret and hint") {
    const TemporaryFolder folder;
    topress::write_file_atomically(folder / "a.toml", "schema = 1\n[model]\ndpeth = 14\n");
    const auto text =
        render_in(folder, make({(folder / "a.toml").string(), 3, 1, 5}, "did you mean 'depth'?"));
    CHECK(text ==
          "error[config/unknown-key]: unknown key 'dpeth'\n"
          "  --> a.toml:3:1\n"
          "   3 | dpeth = 14\n"
          "     | ^^^^^\n"
          "  hint: did you mean 'depth'?\n");
}

TEST_CASE("diagnostic: the caret counts characters and stays inside the line") {
    const TemporaryFolder folder;
    topress::write_file_atomically(folder / "a.toml", "\xc3\xa4\xc3\xb6 = \"\xc3\xbc\"\r\n");
    const auto caret_of = [&](int column, int length) {
        const auto text =
            render_in(folder, make({(folder / "a.toml").string(), 1, column, length}));
        return text.substr(text.rfind(" | ") + 3);
    };
    CHECK(caret_of(1, 2) == "^^\n");
    CHECK(caret_of(6, 3) == "     ^^^\n");
    CHECK(caret_of(6, 1000) == "     ^^^\n");
    CHECK(caret_of(6, 0) == "     ^\n");
}

TEST_CASE("diagnostic: control characters of the file do not reach the terminal") {
    const TemporaryFolder folder;
    topress::write_file_atomically(folder / "a.toml", "a\t= \"\x1b[31m\"\n");
    const auto text = render_in(folder, make({(folder / "a.toml").string(), 1, 1, 1}));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\t') == std::string::npos);
}

TEST_CASE("diagnostic: what cannot be quoted is not quoted") {
    const TemporaryFolder folder;
    topress::write_file_atomically(folder / "a.toml", "one line\n");
    const std::string header = "error[config/unknown-key]: unknown key 'dpeth'\n";
    CHECK(render(make({})) == header);
    CHECK(render(make({"absent.toml", 3, 1, 5})) == header + "  --> absent.toml:3:1\n");
    CHECK(render(make({"stage channel", 0, 0, 0})) == header + "  --> stage channel\n");
    CHECK(render_in(folder, make({(folder / "a.toml").string(), 7, 1, 1})) ==
          header + "  --> a.toml:7:1\n");
}

TEST_CASE("diagnostic: notes with places stand in columns") {
    Diagnostic cycle{
        Severity::Error, "order/cycle", "2 steps wait for each other", {}, {}, "drop one"};
    cycle.notes = {{"a before long", {"x.toml", 14, 3, 0}},
                   {"long before a!", {"y.toml", 2, 0, 0}}};
    CHECK(render(cycle) ==
          "error[order/cycle]: 2 steps wait for each other\n"
          "  a before long   x.toml:14:3\n"
          "  long before a!  y.toml:2\n"
          "  hint: drop one\n");
}

TEST_CASE("diagnostic: colour touches the header only") {
    Diagnostic warning = make({}, "hint");
    warning.severity = Severity::Warning;
    const std::string text = render(warning, true);
    CHECK(text.starts_with("\033[1;33mwarning[config/unknown-key]\033[0m: unknown"));
    CHECK(text.find('\033', text.find('\n')) == std::string::npos);
    CHECK(render(warning).starts_with("warning[config/unknown-key]: "));
}

TEST_CASE("diagnostic: only errors count as errors and the first gives the status") {
    Diagnostic warning = make({});
    warning.severity = Severity::Warning;
    warning.code = "order/ambiguous";
    CHECK_FALSE(topress::has_errors({warning}));
    CHECK(topress::has_errors({warning, make({})}));
    const topress::DiagnosticError error({warning, make({})});
    CHECK(error.status() == topress::ExitStatus::Configuration);
    CHECK(std::string(error.what()) == "config/unknown-key: unknown key 'dpeth'");
    CHECK(error.diagnostics().size() == 2);
}

TEST_CASE("diagnostic: an exception keeps message place and hint") {
    const topress::Error error("file/cannot-read", "cannot read 'x'", "x", "check it");
    CHECK(render(topress::to_diagnostic(error)) ==
          "error[file/cannot-read]: cannot read 'x'\n"
          "  --> x\n"
          "  hint: check it\n");
}

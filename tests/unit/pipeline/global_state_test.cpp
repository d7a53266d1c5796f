// What a stage moves for the whole process is found and set back; its random numbers are its own.
#include "pipeline/global_state.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>
#include <doctest/doctest.h>

#include <clocale>
#include <filesystem>
#include <functional>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace topress;

namespace {

struct Move {
    const char* what;
    std::function<void()> make;
};

std::vector<Move> moves() {
    return {{"gradient mode", [] { c10::GradMode::set_enabled(!c10::GradMode::is_enabled()); }},
            {"default data type",
             [] { c10::set_default_dtype(c10::scalarTypeToTypeMeta(at::kDouble)); }},
            {"number of threads", [] { at::set_num_threads(at::get_num_threads() + 1); }},
            {"deterministic algorithms",
             [] {
                 const bool now = at::globalContext().deterministicAlgorithms();
                 at::globalContext().setDeterministicAlgorithms(!now, false);
             }},
#if defined(__SSE__)
            {"rounding mode", [] { _mm_setcsr(_mm_getcsr() | 0x8040U); }},
#endif
            {"current directory", [] { std::filesystem::current_path("/"); }},
            {"locale", [] { std::setlocale(LC_ALL, "C.UTF-8"); }}};
}

double draw() {
    return at::rand({1}, at::kDouble).item<double>();
}

}  // namespace

TEST_CASE("global_state: each setting that moved is an error of its own and set back") {
    const pipeline::GlobalState wanted = pipeline::read_global_state();
    CHECK(pipeline::restore_global_state(wanted, "stage").empty());
    for (const Move& move : moves()) {
        CAPTURE(move.what);
        move.make();
        const Diagnostics found = pipeline::restore_global_state(wanted, "stage");
        REQUIRE(found.size() == 1);
        CHECK(found.front().code == "check/global-state");
        CHECK(found.front().severity == Severity::Error);
        CHECK(found.front().message.find(move.what) != std::string::npos);
        CHECK(pipeline::read_global_state() == wanted);
    }
}

TEST_CASE("global_state: random numbers of a stage follow from seed and label alone") {
    const auto in_stage = [](std::uint64_t seed, const std::string& label) {
        const pipeline::StageRandomness randomness(seed, label, at::kCPU);
        return draw();
    };
    const double first = in_stage(7, "a");
    draw();
    CHECK(in_stage(7, "a") == first);
    CHECK(in_stage(8, "a") != first);
    CHECK(in_stage(7, "b") != first);
}

TEST_CASE("global_state: what a stage draws moves nobody else's numbers") {
    at::manual_seed(3);
    const double undisturbed = draw();
    at::manual_seed(3);
    {
        const pipeline::StageRandomness randomness(7, "a", at::kCPU);
        draw();
    }
    CHECK(draw() == undisturbed);
}

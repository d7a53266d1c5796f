// The compiled-in files, taken over byte by byte by the assembler; CMake gives the paths.
#include "pipeline/embedded.hpp"

#define TOPRESS_EMBED(symbol, path)                              \
    asm(".pushsection .rodata\n" #symbol                         \
        "_begin:\n"                                              \
        ".incbin \"" path "\"\n" #symbol                         \
        "_end:\n"                                                \
        ".byte 0\n"                                              \
        ".popsection\n"                                          \
        ".globl " #symbol "_begin\n.globl " #symbol              \
        "_end\n"                                                 \
        ".hidden " #symbol "_begin\n.hidden " #symbol "_end\n"); \
    extern "C" const char symbol##_begin[];                      \
    extern "C" const char symbol##_end[]

TOPRESS_EMBED(topress_run_page, TOPRESS_PAGES "/run.html");
TOPRESS_EMBED(topress_comparison_page, TOPRESS_PAGES "/comparison.html");
TOPRESS_EMBED(topress_exploration_page, TOPRESS_PAGES "/exploration.html");
TOPRESS_EMBED(topress_exploration_js, TOPRESS_PAGES "/exploration.js");
TOPRESS_EMBED(topress_style_css, TOPRESS_PAGES "/style.css");
TOPRESS_EMBED(topress_common_js, TOPRESS_PAGES "/common.js");
TOPRESS_EMBED(topress_chart_js, TOPRESS_CHART_JS);

namespace topress::pipeline {

std::string_view run_page() {
    return {topress_run_page_begin, topress_run_page_end};
}

std::string_view comparison_page() {
    return {topress_comparison_page_begin, topress_comparison_page_end};
}

std::string_view exploration_page() {
    return {topress_exploration_page_begin, topress_exploration_page_end};
}

std::string_view exploration_js() {
    return {topress_exploration_js_begin, topress_exploration_js_end};
}

std::string_view style_css() {
    return {topress_style_css_begin, topress_style_css_end};
}

std::string_view common_js() {
    return {topress_common_js_begin, topress_common_js_end};
}

std::string_view chart_js() {
    return {topress_chart_js_begin, topress_chart_js_end};
}

}  // namespace topress::pipeline

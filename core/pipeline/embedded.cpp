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

TOPRESS_EMBED(topress_report_template, TOPRESS_REPORT_TEMPLATE);
TOPRESS_EMBED(topress_chart_js, TOPRESS_CHART_JS);

namespace topress::pipeline {

std::string_view report_template() {
    return {topress_report_template_begin, topress_report_template_end};
}

std::string_view chart_js() {
    return {topress_chart_js_begin, topress_chart_js_end};
}

}  // namespace topress::pipeline

// Runs `dot -Tsvg` on temporary files: no shell, no pipes that could fill up.
#include "pipeline/graphviz.hpp"

#include <cstdio>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace topress::pipeline {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

using File = std::unique_ptr<std::FILE, CloseFile>;

File temporary_file(const std::string& content) {
    File file(std::tmpfile());
    if (file) {
        std::fwrite(content.data(), 1, content.size(), file.get());
        std::rewind(file.get());
    }
    return file;
}

std::string read_all(std::FILE* file) {
    std::string text;
    std::rewind(file);
    char buffer[4096];
    for (std::size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
        text.append(buffer, count);
    }
    return text;
}

bool run_dot(std::FILE* input, std::FILE* output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(input), 0);
    posix_spawn_file_actions_adddup2(&actions, fileno(output), 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    char program[] = "dot";
    char format[] = "-Tsvg";
    char* arguments[] = {program, format, nullptr};
    pid_t child = 0;
    const int failed = posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

}  // namespace

std::optional<std::string> draw_svg(const std::string& dot) {
    const File input = temporary_file(dot);
    const File output = temporary_file("");
    if (!input || !output || !run_dot(input.get(), output.get())) {
        return std::nullopt;
    }
    const std::string text = read_all(output.get());
    const std::size_t start = text.find("<svg");
    return start == std::string::npos ? std::nullopt : std::optional(text.substr(start));
}

}  // namespace topress::pipeline

// Rendering a template into a temporary folder beside the wanted one, then one rename.
#include "plugin/scaffold.hpp"

#include "base/diagnostic.hpp"
#include "base/files.hpp"
#include "base/suggest.hpp"
#include "plugin/metadata_schema.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace topress::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommonFolder = "common";
// Reverse DNS has an owner and a name at least.
constexpr std::size_t kLeastComponents = 2;

using Replacements = std::vector<std::pair<std::string_view, std::string>>;
using Files = std::map<std::string, std::string>;  // path below the project -> text

[[noreturn]] void refuse(const char* code, const std::string& message, const std::string& hint) {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message = message;
    diagnostic.hint = hint;
    throw DiagnosticError({diagnostic});
}

std::vector<std::string> split(const std::string& text, std::string_view separators) {
    std::vector<std::string> parts(1);
    for (const char letter : text) {
        if (separators.find(letter) == std::string_view::npos) {
            parts.back() += letter;
        } else {
            parts.emplace_back();
        }
    }
    return parts;
}

/// Names that CMake or a generator already uses for targets or folders of the build.
bool is_reserved(const std::string& name) {
    static const std::vector<std::string> kNames = {"all",
                                                    "bin",
                                                    "build",
                                                    "clean",
                                                    "depend",
                                                    "edit_cache",
                                                    "help",
                                                    "install",
                                                    "lib",
                                                    "package",
                                                    "test",
                                                    "package_source",
                                                    "topress",
                                                    "rebuild_cache",
                                                    "topress_sdk"};
    return std::ranges::find(kNames, name) != kNames.end();
}

std::string target_name(std::string label) {
    std::ranges::replace(label, '-', '_');
    return is_reserved(label) ? label + "_plugin" : label;
}

std::string pascal_case(const std::string& label) {
    std::string text;
    for (std::string word : split(label, "-_")) {
        if (!word.empty()) {
            word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
        }
        text += word;
    }
    return text;
}

Replacements replacements_of(const ScaffoldNames& names) {
    return {{"TEMPLATE_ID", names.id},
            {"TEMPLATE_TECHNIQUE", names.technique},
            {"TEMPLATE_LABEL", names.label},
            {"TEMPLATE_NAME", names.name},
            {"TEMPLATE_CLASS", names.class_name}};
}

std::string replace_all(std::string text, const Replacements& replacements) {
    for (const auto& [from, to] : replacements) {
        for (auto at = text.find(from); at != std::string::npos;
             at = text.find(from, at + to.size())) {
            text.replace(at, from.size(), to);
        }
    }
    return text;
}

/// Adds every file below `folder`, replacing those of the same path.
void render(const fs::path& folder, const Replacements& replacements, Files& files) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            const std::string path = entry.path().lexically_relative(folder).generic_string();
            files[replace_all(path, replacements)] =
                replace_all(read_file(entry.path()), replacements);
        }
    }
}

[[noreturn]] void fail_to_write(const fs::path& path, const std::error_code& error) {
    throw Error("file/cannot-write",
                "cannot write '" + path.string() + "': " + error.message(),
                path.string(),
                "check that the folder above it may be written and has space left");
}

/// A new folder beside `target`, with the rights of any other new folder; removed unless renamed.
class Draft {
  public:
    explicit Draft(const fs::path& target) {
        std::error_code error;
        fs::create_directories(target.parent_path(), error);
        for (int number = 0; !error; ++number) {
            std::string name = ".";
            name += target.filename().string() + ".new" + std::to_string(number);
            path_ = target.parent_path() / name;
            if (fs::create_directory(path_, error)) {
                return;
            }
        }
        path_.clear();
        fail_to_write(target, error);
    }

    ~Draft() {
        std::error_code ignored;
        if (!path_.empty()) {
            fs::remove_all(path_, ignored);
        }
    }

    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    Draft(Draft&&) = delete;
    Draft& operator=(Draft&&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }

    /// An empty folder at `target` is replaced.
    void rename_to(const fs::path& target) {
        std::error_code error;
        fs::rename(path_, target, error);
        if (error) {
            fail_to_write(target, error);
        }
        path_.clear();
    }

  private:
    fs::path path_;
};

/// The absolute folder, which does not exist yet or is empty and nobody's current one.
fs::path free_folder(const fs::path& wanted) {
    std::error_code error;
    fs::path folder = fs::weakly_canonical(fs::absolute(wanted), error);
    folder = (error ? fs::absolute(wanted) : folder).lexically_normal();
    if (!folder.has_filename()) {
        folder = folder.parent_path();
    }
    if (!fs::exists(folder, error)) {
        return folder;
    }
    if (!fs::is_directory(folder, error) || !fs::is_empty(folder, error)) {
        refuse("usage/folder-not-empty",
               std::string("'") + wanted.string() + "' exists and is not an empty folder",
               "name a folder that does not exist yet");
    }
    // It is replaced as a whole: whoever stands in it would be left in a removed folder.
    if (fs::equivalent(folder, fs::current_path(error), error)) {
        refuse("usage/folder-not-empty",
               std::string("'") + wanted.string() + "' is the current folder",
               "go one folder up and name it from there");
    }
    return folder;
}

void check_template(const std::string& name, const fs::path& templates) {
    const std::vector<std::string> known = template_names(templates);
    if (std::ranges::find(known, name) != known.end()) {
        return;
    }
    std::string all;
    for (const std::string& each : known) {
        all += all.empty() ? each : ", " + each;
    }
    const std::optional<std::string> close = nearest(name, known);
    refuse("usage/unknown-template",
           "there is no template '" + name + "'",
           close ? "did you mean '" + *close + "'? there are: " + all : "there are: " + all);
}

}  // namespace

ScaffoldNames scaffold_names(const std::string& id) {
    if (!is_identifier(id, kLeastComponents)) {
        refuse("usage/bad-plugin-id",
               std::string("'") + id + "' is not a plugin id",
               "use reverse DNS in lower case, such as org.example.shrink: parts of letters, "
               "digits, '-' and '_' that begin with a letter");
    }
    const std::vector<std::string> parts = split(id, ".");
    const std::string& label = parts.back();
    return {
        id, parts[parts.size() - 2] + "." + label, label, target_name(label), pascal_case(label)};
}

fs::path find_templates(const fs::path& program) {
    const fs::path installed = program.parent_path().parent_path() / "share/topress/templates";
    for (const fs::path& folder : {installed, fs::path(TOPRESS_TEMPLATES_DIR)}) {
        std::error_code ignored;
        if (fs::is_directory(folder / kCommonFolder, ignored)) {
            return folder;
        }
    }
    throw Error("plugin/no-templates",
                "the plugin templates are not installed",
                installed.string(),
                "install topress completely: cmake --install BUILD --prefix DIR");
}

std::vector<std::string> template_names(const fs::path& templates) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(templates)) {
        if (entry.is_directory() && entry.path().filename() != kCommonFolder) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

Scaffold write_scaffold(const ScaffoldRequest& request, const fs::path& templates) {
    Scaffold scaffold{scaffold_names(request.id), {}, {}};
    check_template(request.template_name, templates);
    scaffold.directory = free_folder(request.directory);

    Files files;
    const Replacements replacements = replacements_of(scaffold.names);
    render(templates / kCommonFolder, replacements, files);
    render(templates / request.template_name, replacements, files);

    Draft draft(scaffold.directory);
    for (const auto& [path, text] : files) {
        std::error_code error;
        fs::create_directories((draft.path() / path).parent_path(), error);
        write_file_atomically(draft.path() / path, text);
        scaffold.files.push_back(path);
    }
    draft.rename_to(scaffold.directory);
    return scaffold;
}

}  // namespace topress::plugin

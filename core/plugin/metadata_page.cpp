// The two layouts of a plugin's page: Markdown, and plain text.
#include "plugin/metadata_page.hpp"

#include "config/document.hpp"
#include "plugin/metadata_facts.hpp"

#include <algorithm>
#include <cstddef>

namespace topress::plugin {

namespace {

using config::ParameterSpec;

bool is_wanted(const TechniqueMetadata& technique, const std::string& wanted) {
    return wanted.empty() || technique.id == wanted;
}

// ---- Markdown -----------------------------------------------------------------------------------

std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    }
    return escaped;
}

std::string markdown_table(const std::vector<Fact>& facts) {
    std::string text = "| | |\n|---|---|\n";
    for (const Fact& fact : facts) {
        text += std::string("| ") + fact.name + " | " + cell(fact.text) + " |\n";
    }
    return text;
}

std::string markdown_of(const TechniqueMetadata& technique) {
    std::string text = std::string("\n## ") + technique.id + "\n\n" + technique.summary + ".\n\n" +
                       markdown_table(facts_of(technique)) + "\n### Order\n\n";
    const std::vector<std::string> relations = relations_of(technique);
    for (const std::string& relation : relations) {
        text += std::string("- ") + relation + "\n";
    }
    text += relations.empty() ? no_relations() + "\n" : "";
    text += "\n### Parameters\n\n";
    return text + (technique.parameters.empty()
                       ? "None.\n"
                       : config::document_parameters(technique.parameters));
}

// ---- plain text ---------------------------------------------------------------------------------

// Backticks mark code in Markdown only.
std::string plain(const std::string& markdown) {
    std::string text;
    std::ranges::copy_if(markdown, std::back_inserter(text), [](char c) { return c != '`'; });
    return text;
}

// `text` in lines of at most `width` columns; all but the first begin with `indent` spaces, the
// first is meant to stand behind as many. A word that is longer stays whole.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
    std::string result;
    std::size_t column = indent;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::size_t length = end - at;
        if (column > indent && column + 1 + length > width) {
            result += std::string("\n") + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += ' ';
            ++column;
        }
        result.append(text, at, length);
        column += length;
        at = end + 1;
    }
    return result + "\n";
}

// "  name       text", the texts below each other.
std::string columns(const std::vector<Fact>& facts, std::size_t width) {
    std::size_t widest = 0;
    for (const Fact& fact : facts) {
        widest = std::max(widest, fact.name.size());
    }
    const std::size_t indent = std::min<std::size_t>(widest, 24) + 4;
    std::string text;
    for (const Fact& fact : facts) {
        std::string head = std::string("  ") + fact.name;
        head += head.size() < indent ? std::string(indent - head.size(), ' ')
                                     : std::string("\n") + std::string(indent, ' ');
        text += head + wrapped(plain(fact.text), indent, width);
    }
    return text;
}

std::string parameter_text(const ParameterSpec& spec) {
    std::string text(config::type_name(spec.type));
    const std::string accepted = config::accepted_text(spec);
    text += accepted.empty() ? "" : std::string(", ") + accepted;
    const std::string value = config::default_text(spec);
    text += spec.default_value ? std::string("; default ") + value
            : value == "-"     ? "; optional"
                               : std::string("; ") + value;
    return text + ". " + spec.doc;
}

std::string plain_of(const TechniqueMetadata& technique, std::size_t width) {
    std::string text = std::string("\n") + technique.id + "\n  " +
                       wrapped(technique.summary, 2, width) + "\n" +
                       columns(facts_of(technique), width) + "\n  order\n";
    const std::vector<std::string> relations = relations_of(technique);
    for (const std::string& relation : relations) {
        text += std::string("    ") + wrapped(plain(relation), 6, width);
    }
    text += relations.empty() ? std::string("    ") + wrapped(no_relations(), 4, width) : "";
    text += technique.parameters.empty() ? "\n  no parameters\n" : "\n  parameters\n";
    std::vector<Fact> parameters;
    for (const ParameterSpec& spec : technique.parameters) {
        parameters.push_back({spec.name, parameter_text(spec)});
    }
    return text + columns(parameters, width);
}

}  // namespace

std::string to_markdown(const PluginMetadata& plugin, const std::string& technique) {
    std::string text = std::string("# ") + plugin.name +
                       "\n\n<!-- Rendered from plugin.toml by `topress plugin doc " + plugin.id +
                       " --markdown`: edit plugin.toml instead. -->\n\n" + plugin.summary +
                       ".\n\n" + markdown_table(facts_of(plugin));
    for (const TechniqueMetadata& each : plugin.techniques) {
        text += is_wanted(each, technique) ? markdown_of(each) : "";
    }
    return text;
}

std::string to_plain_text(const PluginMetadata& plugin, const std::string& technique, int width) {
    const auto columns_wide = static_cast<std::size_t>(std::max(width, 40));
    std::string text = plugin.name + "\n  " + wrapped(plugin.summary, 2, columns_wide) + "\n" +
                       columns(facts_of(plugin), columns_wide);
    for (const TechniqueMetadata& each : plugin.techniques) {
        text += is_wanted(each, technique) ? plain_of(each, columns_wide) : "";
    }
    return text;
}

}  // namespace topress::plugin

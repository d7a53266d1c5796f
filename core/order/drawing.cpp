// Chain, arcs and legend of an order; what is drawn is decided in links.cpp.
#include "order/drawing.hpp"

#include "order/links.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace topress::order {

namespace {

constexpr std::size_t kIndent = 2;

/// The characters of one kind of link.
struct Glyphs {
    const char* chain;  ///< between neighbours
    const char* line;
    const char* post;
    const char* left;
    const char* right;
    const char* meaning;
};

using Alphabet = std::array<Glyphs, 5>;  // by LinkKind

constexpr Alphabet kUnicode = {{
    {"══▶", "═", "║", "╚", "╝", "hard"},
    {"──▶", "─", "│", "└", "┘", "soft"},
    {"···", " ", " ", " ", " ", "tie-break only"},
    {"┄┄▶", "┄", "┆", "└", "┘", "set aside"},
    {"━╳▶", "━", "┃", "┗", "┛", "broken by the forced order"},
}};

constexpr Alphabet kAscii = {{
    {"==>", "=", "|", "+", "+", "hard"},
    {"-->", "-", "|", "+", "+", "soft"},
    {"...", " ", " ", " ", " ", "tie-break only"},
    {"~~>", "~", ":", "+", "+", "set aside"},
    {"-x>", "x", "!", "+", "+", "broken by the forced order"},
}};

const Glyphs& glyphs_of(const DrawingStyle& style, LinkKind kind) {
    return (style.unicode ? kUnicode : kAscii).at(static_cast<std::size_t>(kind));
}

/// A grid of characters, each one UTF-8 sequence.
class Canvas {
  public:
    Canvas(std::size_t rows, std::size_t columns)
        : cells_(rows, std::vector<std::string>(columns, " ")) {}

    void put(std::size_t row, std::size_t column, const std::string& text) {
        cells_.at(row).at(column) = text;
    }

    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> lines;
        for (const std::vector<std::string>& row : cells_) {
            std::string line;
            for (const std::string& cell : row) {
                line += cell;
            }
            line.erase(line.find_last_not_of(' ') + 1);
            lines.push_back(std::move(line));
        }
        return lines;
    }

  private:
    std::vector<std::vector<std::string>> cells_;
};

/// The ends of the arcs as columns: `from` and `to` of each.
struct Ports {
    std::vector<std::size_t> from;
    std::vector<std::size_t> to;
    bool fit = true;  ///< every end has a column of its own
};

/// An arc end at one label. Arcs to the left come first, short before long; then those to the
/// right, long before short: so lines of one label do not cross each other.
struct End {
    bool goes_right;
    std::size_t arc;
    bool is_from;
};

std::vector<End> ends_at(const std::vector<Link>& arcs, std::size_t label) {
    std::vector<End> ends;
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        if (arcs[i].from == label) {
            ends.push_back({arcs[i].to > label, i, true});
        } else if (arcs[i].to == label) {
            ends.push_back({arcs[i].from > label, i, false});
        }
    }
    std::ranges::stable_sort(ends, [](const End& a, const End& b) {
        if (a.goes_right != b.goes_right) {
            return b.goes_right;
        }
        return a.goes_right ? a.arc > b.arc : a.arc < b.arc;
    });
    return ends;
}

/// Shares the columns of each label among the arcs that end there.
Ports find_ports(const std::vector<Link>& arcs,
                 const std::vector<std::size_t>& starts,
                 const std::vector<std::string>& labels) {
    Ports ports{std::vector<std::size_t>(arcs.size()), std::vector<std::size_t>(arcs.size()), true};
    for (std::size_t label = 0; label < labels.size(); ++label) {
        const std::vector<End> ends = ends_at(arcs, label);
        const std::size_t width = columns_of(labels[label]);
        ports.fit = ports.fit && ends.size() <= width;
        for (std::size_t k = 0; k < ends.size(); ++k) {
            const std::size_t column = starts[label] + (2 * k + 1) * width / (2 * ends.size());
            (ends[k].is_from ? ports.from : ports.to)[ends[k].arc] = column;
        }
    }
    return ports;
}

std::vector<std::string> draw_arcs(const std::vector<Link>& arcs,
                                   const Ports& ports,
                                   std::size_t columns,
                                   const DrawingStyle& style) {
    Canvas canvas(arcs.size() + 1, columns);
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        const Glyphs& glyphs = glyphs_of(style, arcs[i].kind);
        const auto [left, right] = std::minmax(ports.from[i], ports.to[i]);
        for (std::size_t column = left + 1; column < right; ++column) {
            canvas.put(i + 1, column, glyphs.line);
        }
    }
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        const Glyphs& glyphs = glyphs_of(style, arcs[i].kind);
        for (std::size_t row = 0; row <= i; ++row) {
            canvas.put(row, ports.from[i], glyphs.post);
            canvas.put(row, ports.to[i], row == 0 ? (style.unicode ? "▲" : "^") : glyphs.post);
        }
        const auto [left, right] = std::minmax(ports.from[i], ports.to[i]);
        canvas.put(i + 1, left, glyphs.left);
        canvas.put(i + 1, right, glyphs.right);
    }
    return canvas.lines();
}

/// The chain in lines that fit, and where each label starts in the first of them.
struct Chain {
    std::vector<std::string> lines;
    std::vector<std::size_t> starts;
};

Chain draw_chain(const Order& order, const Links& links, const DrawingStyle& style) {
    Chain chain;
    std::string line(kIndent, ' ');
    for (std::size_t i = 0; i < order.sequence.size(); ++i) {
        const std::string arrow =
            i + 1 < order.sequence.size()
                ? std::string(" ") + glyphs_of(style, links.neighbours[i]).chain
                : "";
        const std::string& label = order.sequence[i];
        const bool is_first = columns_of(line) <= 2 * kIndent;
        if (!is_first && columns_of(line) + columns_of(label) + columns_of(arrow) > style.width) {
            chain.lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
            line = std::string(2 * kIndent, ' ');
        }
        chain.starts.push_back(columns_of(line));
        line += label + arrow + (arrow.empty() ? "" : " ");
    }
    chain.lines.push_back(line);
    return chain;
}

std::vector<std::string> legend(const Links& links, const DrawingStyle& style) {
    std::vector<bool> is_there(kUnicode.size(), false);
    for (const LinkKind kind : links.neighbours) {
        is_there[static_cast<std::size_t>(kind)] = true;
    }
    for (const Link& arc : links.arcs) {
        is_there[static_cast<std::size_t>(arc.kind)] = true;
    }
    std::vector<std::string> lines;
    std::string line;
    for (std::size_t kind = 0; kind < is_there.size(); ++kind) {
        if (!is_there[kind]) {
            continue;
        }
        const Glyphs& glyphs = glyphs_of(style, static_cast<LinkKind>(kind));
        const std::string entry = std::string(glyphs.chain) + " " + glyphs.meaning;
        if (!line.empty() && columns_of(line) + 3 + columns_of(entry) > style.width) {
            lines.push_back(std::exchange(line, ""));
        }
        line += (line.empty() ? "  " : "   ") + entry;
    }
    if (!line.empty()) {
        lines.push_back(line);
        lines.insert(lines.begin(), "");
    }
    if (links.implied > 0) {
        lines.push_back("  (" + std::to_string(links.implied) +
                        (links.implied == 1 ? " relation that follows" : " relations that follow") +
                        " from these " + (links.implied == 1 ? "is" : "are") + " not drawn)");
    }
    return lines;
}

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

std::size_t columns_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::string> draw(const Order& order, const DrawingStyle& style) {
    if (order.sequence.empty()) {
        return {};
    }
    const Links links = links_of(order);
    const Chain chain = draw_chain(order, links, style);
    std::vector<std::string> lines = chain.lines;
    const Ports ports = find_ports(links.arcs, chain.starts, order.sequence);
    if (!links.arcs.empty() && chain.lines.size() == 1 && ports.fit) {
        append(lines, draw_arcs(links.arcs, ports, columns_of(lines[0]), style));
    } else {
        for (const Link& arc : links.arcs) {
            lines.push_back("  " + order.sequence[arc.from] + " " +
                            glyphs_of(style, arc.kind).chain + " " + order.sequence[arc.to]);
        }
    }
    append(lines, legend(links, style));
    return lines;
}

}  // namespace topress::order

// Roles as text and typed access to the attributes of a node.
#include "base/error.hpp"
#include "base/suggest.hpp"
#include "network/graph.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace topress::network {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{
    {Role::Weight, "weight"},
    {Role::Bias, "bias"},
    {Role::Norm, "norm"},
    {Role::Scale, "scale"},
    {Role::Buffer, "buffer"},
}};

[[noreturn]] void throw_wrong_type(const Node& node, const std::string& name, const char* wanted) {
    throw Error("network/bad-attribute",
                "attribute '" + name + "' of node '" + node.name + "' is no " + wanted,
                node.name);
}

const Attribute* find_attribute(const Node& node, const std::string& name) {
    const auto found = node.attributes.find(name);
    return found == node.attributes.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view to_string(Role role) {
    const auto* found = std::find_if(
        kRoles.begin(), kRoles.end(), [&](const auto& entry) { return entry.first == role; });
    TOPRESS_ASSERT(found != kRoles.end());
    return found->second;
}

Role parse_role(std::string_view name) {
    std::vector<std::string> known;
    for (const auto& [role, text] : kRoles) {
        if (text == name) {
            return role;
        }
        known.emplace_back(text);
    }
    const auto near = nearest(name, known);
    throw Error(
        "network/unknown-role",
        "unknown role '" + std::string(name) + "'",
        "",
        near ? "did you mean '" + *near + "'?" : "roles are weight, bias, norm, scale and buffer");
}

bool is_valid_name(std::string_view name) {
    constexpr std::size_t kMaximumLength = 256;
    return !name.empty() && name.size() <= kMaximumLength && name != "__metadata__" &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::int64_t int_attribute(const Node& node, const std::string& name, std::int64_t otherwise) {
    const Attribute* found = find_attribute(node, name);
    if (found == nullptr) {
        return otherwise;
    }
    if (const auto* value = std::get_if<std::int64_t>(found)) {
        return *value;
    }
    throw_wrong_type(node, name, "integer");
}

double number_attribute(const Node& node, const std::string& name, double otherwise) {
    const Attribute* found = find_attribute(node, name);
    if (found == nullptr) {
        return otherwise;
    }
    if (const auto* value = std::get_if<double>(found)) {
        return *value;
    }
    if (const auto* value = std::get_if<std::int64_t>(found)) {
        return static_cast<double>(*value);
    }
    throw_wrong_type(node, name, "number");
}

std::vector<std::int64_t> ints_attribute(const Node& node,
                                         const std::string& name,
                                         std::vector<std::int64_t> otherwise) {
    const Attribute* found = find_attribute(node, name);
    if (found == nullptr) {
        return otherwise;
    }
    if (const auto* value = std::get_if<std::vector<std::int64_t>>(found)) {
        return *value;
    }
    throw_wrong_type(node, name, "list of integers");
}

bool bool_attribute(const Node& node, const std::string& name, bool otherwise) {
    const Attribute* found = find_attribute(node, name);
    if (found == nullptr) {
        return otherwise;
    }
    if (const auto* value = std::get_if<bool>(found)) {
        return *value;
    }
    throw_wrong_type(node, name, "boolean");
}

}  // namespace topress::network

// A network as a graph of operators: nodes in execution order, named values, parameters, exits.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

namespace topress::network {

/// A typed attribute of a node ("stride") or setting of a network ("depth").
using Attribute = std::variant<bool,
                               std::int64_t,
                               double,
                               std::string,
                               std::vector<std::int64_t>,
                               std::vector<double>>;
using Attributes = std::map<std::string, Attribute>;

/// What a parameter is for; decides weight decay, precision and whether it is trained.
enum class Role : std::uint8_t { Weight, Bias, Norm, Scale, Buffer };

[[nodiscard]] std::string_view to_string(Role role);
/// Throws Error{network/unknown-role}.
[[nodiscard]] Role parse_role(std::string_view name);

/// A tensor that belongs to the network. Buffers (running statistics) are not trained.
struct Parameter {
    std::string name;
    Role role = Role::Weight;
    at::Tensor tensor;
};

/// One operator applied to named values. Inputs are activations first, then parameters, as the
/// operator defines (core/network/operators.hpp).
struct Node {
    std::string name;
    std::string op;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    Attributes attributes;
};

/// The picture or vector a network takes; shape without the batch dimension.
struct Input {
    std::string name;
    std::vector<std::int64_t> shape;
};

/// An ordered output with a gate: a sample leaves here when `criterion` of `logits` >= `threshold`.
struct Exit {
    std::string name;
    std::string logits;  ///< value (N, C)
    std::string criterion = "max-probability";
    double threshold = 1.0;
    double share = std::numeric_limits<double>::quiet_NaN();  ///< measured, of all samples
};

struct Plan;  // network/plan.hpp

/// The compiled form of a network's structure, made on its first run and shared by copies until one
/// of them is edited. Thread: safe.
class PlanCache {
  public:
    PlanCache() = default;

    PlanCache(const PlanCache& other) : plan_(other.get()) {}

    PlanCache& operator=(const PlanCache& other) {
        set(other.get());
        return *this;
    }

    ~PlanCache() = default;

    [[nodiscard]] std::shared_ptr<const Plan> get() const { return plan_.load(); }

    void set(std::shared_ptr<const Plan> plan) { plan_.store(std::move(plan)); }

  private:
    std::atomic<std::shared_ptr<const Plan>> plan_;
};

/// A network: an SSA list of nodes in execution order. Every value (input, node output, parameter)
/// has a unique name; a node only reads values defined before it. All editing keeps this true and
/// throws Error{network/...} otherwise. Copying copies the structure and SHARES tensors; clone()
/// copies them.
class Network {
  public:
    // -- reading --
    [[nodiscard]] const Input& input() const { return input_; }

    [[nodiscard]] const std::string& output() const { return output_; }

    [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }

    [[nodiscard]] const std::vector<Exit>& exits() const { return exits_; }

    /// In the order in which they were added.
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }

    /// What the network was built with: "family", "depth", "width", ... Kept through edits.
    [[nodiscard]] const Attributes& settings() const { return settings_; }

    [[nodiscard]] const Node* find_node(std::string_view name) const;
    [[nodiscard]] const Parameter* find_parameter(std::string_view name) const;
    /// Throw Error{network/unknown-node | network/unknown-parameter}.
    [[nodiscard]] const Node& node(std::string_view name) const;
    [[nodiscard]] const Parameter& parameter(std::string_view name) const;
    /// The node that produces a value, null for input and parameters.
    [[nodiscard]] const Node* producer(std::string_view value) const;
    /// The nodes that read a value, in execution order.
    [[nodiscard]] std::vector<const Node*> consumers(std::string_view value) const;
    [[nodiscard]] bool has_value(std::string_view value) const;

    /// Grows with every structural edit (nodes, exits, parameter shapes); unique in the program:
    /// two networks with equal revision are copies with equal structure.
    [[nodiscard]] std::uint64_t revision() const { return revision_; }

    // -- building and editing --
    /// Once before anything else; later only under the same name (another shape) or while nobody
    /// reads it. Throws Error{network/bad-input | network/value-in-use}.
    void set_input(Input input);
    /// Throws Error{network/unknown-value} unless a node produces it.
    void set_output(std::string value);
    void set_setting(const std::string& name, Attribute value);
    /// The reference holds until the next edit. Throws Error{network/duplicate-name |
    /// network/bad-name | network/bad-parameter}.
    Parameter& add_parameter(std::string name, Role role, at::Tensor tensor);
    /// Replaces the tensor; shape and dtype may change.
    void set_parameter(std::string_view name, at::Tensor tensor);
    /// Inserts the node directly after the last producer of its inputs, or appends it at the end.
    /// Throws Error{network/unknown-operator | network/bad-node | network/unknown-value |
    /// network/duplicate-name | network/bad-name}.
    void add_node(Node node, bool append = false);
    /// Throws Error{network/unknown-node | network/bad-node | network/unknown-value}; a value that
    /// is defined after the node counts as unknown there.
    void replace_input(std::string_view node, std::size_t index, const std::string& value);
    /// Whoever reads `value` (nodes, exits, the output) reads `with` instead, except the nodes that
    /// `with` is made from. Throws Error{network/unknown-value}, also when a reader stands before
    /// `with`, and {network/bad-exit} when an exit or the output would read no node.
    void replace_uses(const std::string& value, const std::string& with);
    void set_attribute(std::string_view node, const std::string& name, Attribute value);
    /// Removes a node nobody reads, with the parameters only it used. Throws
    /// Error{network/value-in-use}.
    void remove_node(std::string_view name);
    /// Exits are kept in the order in which execution reaches their logits. Throws
    /// Error{network/bad-exit | network/unknown-criterion | network/duplicate-name}.
    void add_exit(Exit exit);
    /// Throws Error{network/unknown-exit | network/bad-exit}.
    void set_exit(std::string_view name, double threshold, double share);
    void clear_exits();
    /// Removes an exit with its head: nodes and parameters that nothing else needs. Throws
    /// Error{network/unknown-exit}.
    void remove_exit(std::string_view name);

    /// A copy with its own tensors (detached).
    [[nodiscard]] Network clone() const;
    /// Moves every tensor to a device ("cpu", "cuda:0").
    void to(at::Device device);

    /// For network/plan.cpp.
    [[nodiscard]] PlanCache& plan_cache() const { return plan_cache_; }

  private:
    [[nodiscard]] std::size_t index_of(std::string_view node) const;
    [[nodiscard]] std::size_t defined_at(const std::string& value, const std::string& reader) const;
    void claim_value(const std::string& name);
    void check_new_node(const Node& node) const;
    [[nodiscard]] std::unordered_set<std::string> needed_for(
        const std::vector<std::string>& values) const;
    void touch();

    Input input_;
    std::string output_;
    std::vector<Node> nodes_;
    std::vector<Parameter> parameters_;
    std::vector<Exit> exits_;
    Attributes settings_;
    std::unordered_set<std::string> values_;  // names of input, parameters and node outputs
    std::unordered_set<std::string> node_names_;
    std::uint64_t revision_ = 0;
    mutable PlanCache plan_cache_;
};

/// What identifies a value in messages and files: 1 to 256 printable ASCII characters, not
/// "__metadata__".
[[nodiscard]] bool is_valid_name(std::string_view name);

/// Attribute of a node with a default; throws Error{network/bad-attribute} when its type differs.
[[nodiscard]] std::int64_t int_attribute(const Node& node,
                                         const std::string& name,
                                         std::int64_t otherwise);
[[nodiscard]] double number_attribute(const Node& node, const std::string& name, double otherwise);
[[nodiscard]] std::vector<std::int64_t> ints_attribute(const Node& node,
                                                       const std::string& name,
                                                       std::vector<std::int64_t> otherwise);
[[nodiscard]] bool bool_attribute(const Node& node, const std::string& name, bool otherwise);

}  // namespace topress::network

// The built-in operators: what each computes, the shape it gives and what it costs.
#pragma once

#include "network/graph.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace topress::network {

/// Shape of a value without the batch dimension; parameters: their whole shape.
using Shape = std::vector<std::int64_t>;

/// How a node is being run.
struct RunMode {
    bool training = false;           ///< batch statistics, dropout active
    bool update_statistics = false;  ///< batch norm writes its running statistics (training only)
    double statistics_momentum = 0.1;
    /// Set by the interpreter for each node: the first input depends on parameters only, so its
    /// first dimension is not the batch.
    bool constant_input = false;
    /// Operators work in bfloat16 as far as Operator::cast_rule allows; outputs too. Parameters
    /// stay what they are, and so do their gradients.
    bool reduced = false;
};

/// What becomes of an operator's inputs when the run is reduced.
enum class CastRule : std::uint8_t {
    Float,        ///< all float: what has to be exact, and operators of plugins
    Bfloat16,     ///< all bfloat16
    Activations,  ///< activations bfloat16, parameters float
    AsFirst,      ///< all as the first of them
};

struct CustomRules;  // network/custom.hpp

/// One operator: built in, or registered by a plugin (`custom` is set). Inputs of the built-in ones
/// by position, `?` = optional:
///   conv2d      x, weight (Cout, Cin/groups, kh, kw), bias?   attributes stride [2] padding [2]
///   dilation [2] groups linear      x (N, K), weight (M, K), bias? batch_norm  x, gamma, beta,
///   running_mean, running_var     attribute epsilon relu        x add         a, b (same shape)
///   concat      two or more (N, C_i, ...) of equal other sizes -> (N, sum of C_i, ...)
///   max_pool, avg_pool   x    attributes kernel [2] stride [2] padding [2]
///   global_avg_pool      x (N, C, H, W) -> (N, C, 1, 1)
///   flatten     x -> (N, C*H*W)
///   quantize    x, scale (C) or (1)   attributes bits, signed (bool), axis (-1 = per tensor)
///               y = clamp(round_half_even(x / scale), low, high) * scale; unsigned low = 0, high =
///               2^bits - 1; signed low = -2^(bits-1), high = 2^(bits-1) - 1; straight-through
///               gradient for x and LSQ gradient for scale (Esser et al. 2020), factor 1 /
///               sqrt(numel(x) / numel(scale) * high) (numel without the batch dimension for
///               activations). Bits 1 to 16; one signed bit is the sign (binarize.hpp). The
///               gradient passes where low <= x / scale <= high, both ends included.
/// Padding of avg_pool counts as zeros; of max_pool and avg_pool at most half the kernel.
struct Operator {
    std::string_view name;
    std::size_t minimum_inputs;
    std::size_t maximum_inputs;
    std::function<std::vector<at::Tensor>(
        const Node&, const std::vector<at::Tensor>&, const RunMode&)>
        forward;
    std::function<std::vector<Shape>(const Node&, const std::vector<Shape>&)> shape;
    /// Multiply-accumulates of one sample; empty = none.
    std::function<double(
        const Node&, const std::vector<Shape>& inputs, const std::vector<Shape>& outputs)>
        macs;
    /// As forward, but writes over the first input; used when nobody else holds that tensor. Empty
    /// = none.
    std::function<std::vector<at::Tensor>(const Node&, std::vector<at::Tensor>&, const RunMode&)>
        forward_in_place;
    std::shared_ptr<const CustomRules> custom = nullptr;
    CastRule cast_rule = CastRule::Float;
};

/// Null when unknown. Custom operators too.
[[nodiscard]] const Operator* find_operator(std::string_view name);
/// Throws Error{network/unknown-operator} with the nearest name.
[[nodiscard]] const Operator& operator_named(std::string_view name);
/// Of the built-in ones.
[[nodiscard]] std::vector<std::string_view> operator_names();

/// Shape of every value by name for one sample; parameters are listed with their full shape.
/// Throws Error{network/shape-mismatch} naming node and shapes.
[[nodiscard]] std::map<std::string, Shape> infer_shapes(const Network& network);

/// Integer range of a quantize node.
struct QuantizeRange {
    std::int64_t low;
    std::int64_t high;
};

/// Throws Error{network/bad-attribute} when bits are not 1 to 16.
[[nodiscard]] QuantizeRange quantize_range(const Node& node);

/// Replaceable implementations (topress.ops/1): null = the built-in ATen composition. Set before
/// any run.
struct QuantizeImplementation {
    std::function<at::Tensor(const at::Tensor& x,
                             const at::Tensor& scale,
                             std::int64_t low,
                             std::int64_t high,
                             std::int64_t axis)>
        forward;
    /// grad_y, x, scale, low, high, axis, gradient factor -> {grad_x, grad_scale}
    std::function<std::pair<at::Tensor, at::Tensor>(const at::Tensor&,
                                                    const at::Tensor&,
                                                    const at::Tensor&,
                                                    std::int64_t,
                                                    std::int64_t,
                                                    std::int64_t,
                                                    double)>
        backward;
};

/// The built-in: ATen forward and the LSQ backward by formula; also the reference for a check.
[[nodiscard]] const QuantizeImplementation& builtin_quantize();
void set_quantize_implementation(QuantizeImplementation implementation);
[[nodiscard]] const QuantizeImplementation& quantize_implementation();

/// logits (N, C), criterion, threshold -> {leave, stay} ascending int64 indices.
using ExitGate = std::function<std::pair<at::Tensor, at::Tensor>(
    const at::Tensor& logits, std::string_view criterion, double threshold)>;

[[nodiscard]] const ExitGate& builtin_exit_gate();
void set_exit_gate(ExitGate gate);
[[nodiscard]] const ExitGate& exit_gate();

/// The criteria an exit may have.
[[nodiscard]] std::vector<std::string> exit_criteria();

/// A criterion per sample (N), 1 = sure, least 0; `previous`: what the exit before said, undefined
/// at the first. Throws Error{network/unknown-criterion}.
[[nodiscard]] at::Tensor exit_criterion(const at::Tensor& logits,
                                        std::string_view criterion,
                                        const at::Tensor& previous = {});

}  // namespace topress::network

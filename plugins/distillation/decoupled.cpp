// Operators of LibTorch: a dozen passes over (N, C) numbers, which a training step does not notice.
#include "decoupled.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace topress::distillation {
namespace {

/// Logarithms of the two distributions of one network.
struct Split {
    at::Tensor label;      ///< (N, 1) log of the label's probability
    at::Tensor not_label;  ///< (N, 1) log of all others together
    at::Tensor others;     ///< (N, C) log over the other classes; the label's entry is 0
};

/// `mark` (N, C) bool: the label of each sample.
Split split(const at::Tensor& logits, const at::Tensor& mark) {
    const at::Tensor without = logits.masked_fill(mark, -std::numeric_limits<double>::infinity());
    const at::Tensor all = logits.logsumexp(1, true);
    const at::Tensor rest = without.logsumexp(1, true);
    const at::Tensor label = logits.masked_fill(mark.logical_not(), 0).sum(1, true);
    return {label - all, rest - all, (without - rest).masked_fill(mark, 0)};
}

}  // namespace

Loss decoupled_loss(const at::Tensor& student,
                    const at::Tensor& teacher,
                    const at::Tensor& labels,
                    const Decoupling& decoupling) {
    const auto samples = static_cast<double>(student.size(0));
    const double temperature = decoupling.temperature;
    const at::Tensor mark =
        at::zeros_like(student, at::kBool).scatter_(1, labels.unsqueeze(1), true);
    const Split own = split(student / temperature, mark);
    const Split told = split(teacher / temperature, mark);

    const at::Tensor target = told.label.exp() * (told.label - own.label) +
                              told.not_label.exp() * (told.not_label - own.not_label);
    const at::Tensor q_told = told.others.exp().masked_fill(mark, 0);
    const at::Tensor q_own = own.others.exp().masked_fill(mark, 0);
    const at::Tensor other = (q_told * (told.others - own.others)).sum(1);
    const at::Tensor log_hard = student.log_softmax(1);
    const at::Tensor cross_entropy = -log_hard.masked_select(mark).mean();

    const double square = temperature * temperature / samples;
    Loss loss;
    loss.value = target.sum() * (decoupling.target_weight * square) +
                 other.sum() * (decoupling.other_weight * square) +
                 cross_entropy * decoupling.label_weight;
    // The logit of b is that of the label less the logsumexp of the others.
    const at::Tensor surplus = own.label.exp() - told.label.exp();
    const at::Tensor of_target = at::where(mark, surplus, -surplus * q_own);
    const at::Tensor of_hard = log_hard.exp() - mark.to(student.scalar_type());
    loss.gradients = {(of_target * (decoupling.target_weight * temperature) +
                       (q_own - q_told) * (decoupling.other_weight * temperature) +
                       of_hard * decoupling.label_weight) /
                      samples};
    return loss;
}

}  // namespace topress::distillation

// Distillation loss on the CPU: plain loops in double, row by row.
#include "kd_loss.hpp"

#include <topress/kernel/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace topress::distillation {
namespace {

// softmax(rate * (x - top)) of a row: log p = rate * (x - top) - log_sum.
struct Softmax {
    double top = 0.0;
    double rate = 1.0;
    double log_sum = 0.0;

    [[nodiscard]] double log_probability(double logit) const {
        return rate * (logit - top) - log_sum;
    }
};

// Mean and deviation of a row; a deviation of 0 marks a constant row.
struct Moments {
    double mean = 0.0;
    double deviation = 0.0;
};

template <typename Real>
double find_top(const Real* row, std::int64_t classes) {
    double top = static_cast<double>(row[0]);
    for (std::int64_t c = 1; c < classes; ++c) {
        top = std::max(top, static_cast<double>(row[c]));
    }
    return top;
}

template <typename Real>
Moments measure_moments(const Real* row, std::int64_t classes) {
    if (classes < 2) {
        return {};
    }
    double sum = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        sum += static_cast<double>(row[c]);
    }
    const double mean = sum / static_cast<double>(classes);
    double squares = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const double from_mean = static_cast<double>(row[c]) - mean;
        squares += from_mean * from_mean;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(classes - 1));
    return {mean, deviation <= kKdLeastDeviation ? 0.0 : deviation};
}

template <typename Real>
Softmax make_softmax(const Real* row, std::int64_t classes, double rate) {
    Softmax softmax{find_top(row, classes), rate, 0.0};
    double sum = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        sum += std::exp(rate * (static_cast<double>(row[c]) - softmax.top));
    }
    softmax.log_sum = std::log(sum);
    return softmax;
}

// The rate that turns logits into tempered logits; z-scores only shift and scale them.
double softmax_rate(const Moments& moments, const KdLossParameters& parameters) {
    const double temperature = static_cast<double>(parameters.temperature);
    if (!parameters.standardise) {
        return 1.0 / temperature;
    }
    return moments.deviation == 0.0 ? 0.0 : 1.0 / (moments.deviation * temperature);
}

// Adds the weighted cross entropy to the gradient of a row, and returns it.
template <typename Real>
double add_cross_entropy(const Real* student,
                         std::int64_t classes,
                         std::int64_t label,
                         const KdLossParameters& parameters,
                         double per_sample,
                         Real* gradient) {
    if (label < 0 || label >= classes) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const Softmax softmax = make_softmax(student, classes, 1.0);
    const double smoothing = static_cast<double>(parameters.label_smoothing);
    const double weight = static_cast<double>(parameters.cross_entropy_weight);
    const double spread = smoothing / static_cast<double>(classes);
    double loss = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const double target = spread + (c == label ? 1.0 - smoothing : 0.0);
        const double log_p = softmax.log_probability(static_cast<double>(student[c]));
        loss -= target > 0.0 ? target * log_p : 0.0;
        gradient[c] = static_cast<Real>(static_cast<double>(gradient[c]) +
                                        weight * (std::exp(log_p) - target) * per_sample);
    }
    return weight * loss;
}

// The student and the teacher of one row inside the KL term.
struct Distillation {
    Softmax student;
    Softmax teacher;
    Moments moments;  // of the student
};

// d(T^2 KL) / d(tempered student logit times T) = T (p_student - p_teacher).
double pull(const Distillation& row, double student, double teacher, double temperature) {
    return temperature * (std::exp(row.student.log_probability(student)) -
                          std::exp(row.teacher.log_probability(teacher)));
}

// Through the z-score: dL/dx_j = (g_j - mean(g) - z_j sum(g z) / (C - 1)) / deviation.
template <typename Real>
void add_standardised_gradient(const Distillation& row,
                               const Real* student,
                               const Real* teacher,
                               std::int64_t classes,
                               double temperature,
                               double weight,
                               Real* gradient) {
    if (row.moments.deviation == 0.0) {
        return;
    }
    double sum = 0.0;
    double along_z = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const double x = static_cast<double>(student[c]);
        const double g = pull(row, x, static_cast<double>(teacher[c]), temperature);
        sum += g;
        along_z += g * (x - row.moments.mean) / row.moments.deviation;
    }
    const double mean = sum / static_cast<double>(classes);
    along_z /= static_cast<double>(classes - 1);
    for (std::int64_t c = 0; c < classes; ++c) {
        const double x = static_cast<double>(student[c]);
        const double g = pull(row, x, static_cast<double>(teacher[c]), temperature);
        const double z = (x - row.moments.mean) / row.moments.deviation;
        const double through = (g - mean - z * along_z) / row.moments.deviation;
        gradient[c] = static_cast<Real>(static_cast<double>(gradient[c]) + weight * through);
    }
}

// Adds the weighted KL term to the gradient of a row, and returns it.
template <typename Real>
double add_distillation(const Real* student,
                        const Real* teacher,
                        std::int64_t classes,
                        const KdLossParameters& parameters,
                        double per_sample,
                        Real* gradient) {
    const double temperature = static_cast<double>(parameters.temperature);
    const double weight = static_cast<double>(parameters.distillation_weight);
    Distillation row;
    row.moments = measure_moments(student, classes);
    row.student = make_softmax(student, classes, softmax_rate(row.moments, parameters));
    row.teacher =
        make_softmax(teacher, classes, softmax_rate(measure_moments(teacher, classes), parameters));
    double divergence = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const double log_t = row.teacher.log_probability(static_cast<double>(teacher[c]));
        const double log_s = row.student.log_probability(static_cast<double>(student[c]));
        const double p_t = std::exp(log_t);
        divergence += p_t > 0.0 ? p_t * (log_t - log_s) : 0.0;
    }
    if (parameters.standardise) {
        add_standardised_gradient(
            row, student, teacher, classes, temperature, weight * per_sample, gradient);
    } else {
        for (std::int64_t c = 0; c < classes; ++c) {
            const double g = pull(
                row, static_cast<double>(student[c]), static_cast<double>(teacher[c]), temperature);
            gradient[c] =
                static_cast<Real>(static_cast<double>(gradient[c]) + weight * g * per_sample);
        }
    }
    return weight * temperature * temperature * divergence;
}

template <typename Real>
void compute_row(const KdLossInputs<Real>& inputs,
                 const KdLossParameters& parameters,
                 const KdLossOutputs<Real>& outputs,
                 std::int64_t sample) {
    const std::int64_t classes = inputs.classes;
    const Real* const student = inputs.student + sample * classes;
    Real* const gradient = outputs.gradient + sample * classes;
    const double per_sample = 1.0 / static_cast<double>(inputs.batch);
    std::fill_n(gradient, classes, Real{0});
    double loss = 0.0;
    if (parameters.cross_entropy_weight != 0.0f) {
        loss += add_cross_entropy(
            student, classes, inputs.labels[sample], parameters, per_sample, gradient);
    }
    if (parameters.distillation_weight != 0.0f) {
        loss += add_distillation(
            student, inputs.teacher + sample * classes, classes, parameters, per_sample, gradient);
    }
    if (std::isnan(loss)) {
        std::fill_n(gradient, classes, std::numeric_limits<Real>::quiet_NaN());
    }
    outputs.sample_loss[sample] = static_cast<Real>(loss);
}

}  // namespace

template <typename Real>
void kd_loss_cpu(const KdLossInputs<Real>& inputs,
                 const KdLossParameters& parameters,
                 const KdLossOutputs<Real>& outputs) {
    require_kd_loss(inputs, parameters, outputs);
    kernel::for_each_item(inputs.batch, inputs.batch * inputs.classes, [&](std::int64_t sample) {
        compute_row(inputs, parameters, outputs, sample);
    });
    double sum = 0.0;
    for (std::int64_t sample = 0; sample < inputs.batch; ++sample) {
        sum += static_cast<double>(outputs.sample_loss[sample]);
    }
    *outputs.loss =
        static_cast<Real>(inputs.batch == 0 ? 0.0 : sum / static_cast<double>(inputs.batch));
}

template void kd_loss_cpu<float>(const KdLossInputs<float>&,
                                 const KdLossParameters&,
                                 const KdLossOutputs<float>&);
template void kd_loss_cpu<double>(const KdLossInputs<double>&,
                                  const KdLossParameters&,
                                  const KdLossOutputs<double>&);

}  // namespace topress::distillation

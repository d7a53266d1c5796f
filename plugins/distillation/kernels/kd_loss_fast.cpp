// Distillation loss on the CPU in float: the exponentials of a block of rows side by side, so that
// few classes fill vectors too; sums of a row in double.
#include "kd_loss.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/parallel.hpp>
#include <topress/kernel/row.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace topress::distillation {
namespace {

// Logits that one item of work holds at a time: what it needs of them stays in the cache.
constexpr std::int64_t kBlock = 4096;

// Of a row: its mean and deviation (0: constant), and what turns logits into exponents.
struct Row {
    float mean = 0.0F;
    float deviation = 0.0F;
    float top = 0.0F;
    float rate = 1.0F;
    double sum = 0.0;  // of the exponentials
};

void measure_moments(const float* logits, std::int64_t classes, Row& row) {
    if (classes < 2) {
        return;
    }
    const double mean = kernel::sum_of_row(logits, classes) / static_cast<double>(classes);
    double squares = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const double from_mean = static_cast<double>(logits[c]) - mean;
        squares += from_mean * from_mean;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(classes - 1));
    row.mean = static_cast<float>(mean);
    row.deviation = deviation <= kKdLeastDeviation ? 0.0F : static_cast<float>(deviation);
}

// The softmax of every row of a block, as exponentials and their sums.
class Softmaxes {
  public:
    Softmaxes(const float* logits, std::int64_t rows, std::int64_t classes)
        : logits_(logits),
          classes_(classes),
          rows_(static_cast<std::size_t>(rows)),
          exponents_(static_cast<std::size_t>(rows * classes)),
          exponentials_(exponents_.size()) {}

    // `rate_of` may read and fill mean and deviation of the row.
    template <typename RateOf>
    void compute(const RateOf& rate_of) {
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            Row& row = rows_[r];
            const float* const logits = logits_ + static_cast<std::int64_t>(r) * classes_;
            row.rate = rate_of(logits, row);
            row.top = kernel::largest_of_row(logits, classes_);
            float* const to = exponents_.data() + static_cast<std::int64_t>(r) * classes_;
            for (std::int64_t c = 0; c < classes_; ++c) {
                to[c] = row.rate * (logits[c] - row.top);
            }
        }
        exponentials_ = exponents_;
        kernel::exp_in_place(exponentials_.data(), static_cast<std::int64_t>(exponentials_.size()));
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            rows_[r].sum = kernel::sum_of_row(exponentials(r), classes_);
        }
    }

    [[nodiscard]] const Row& row(std::size_t r) const { return rows_[r]; }

    [[nodiscard]] const float* exponents(std::size_t r) const {
        return exponents_.data() + static_cast<std::int64_t>(r) * classes_;
    }

    [[nodiscard]] const float* exponentials(std::size_t r) const {
        return exponentials_.data() + static_cast<std::int64_t>(r) * classes_;
    }

  private:
    const float* logits_;
    std::int64_t classes_;
    std::vector<Row> rows_;
    std::vector<float> exponents_;
    std::vector<float> exponentials_;
};

// Adds the weighted cross entropy to the gradient of a row, and returns it.
double add_cross_entropy(const Softmaxes& student,
                         std::size_t r,
                         std::int64_t classes,
                         std::int64_t label,
                         const KdLossParameters& parameters,
                         float per_sample,
                         float* gradient) {
    if (label < 0 || label >= classes) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const Row& row = student.row(r);
    const float* const e = student.exponentials(r);
    const double log_sum = std::log(row.sum);
    const auto inverse = static_cast<float>(1.0 / row.sum);
    const float spread = parameters.label_smoothing / static_cast<float>(classes);
    const float factor = parameters.cross_entropy_weight * per_sample;
    for (std::int64_t c = 0; c < classes; ++c) {
        gradient[c] += factor * (e[c] * inverse - spread);
    }
    gradient[label] -= factor * (1.0F - parameters.label_smoothing);
    const double of_label = static_cast<double>(student.exponents(r)[label]) - log_sum;
    double loss = -(1.0 - static_cast<double>(parameters.label_smoothing)) * of_label;
    if (spread > 0.0F) {
        const double all = kernel::sum_of_row(student.exponents(r), classes);
        loss -= static_cast<double>(spread) * (all - static_cast<double>(classes) * log_sum);
    }
    return static_cast<double>(parameters.cross_entropy_weight) * loss;
}

// Through the z-score: dL/dx_j = (g_j - mean(g) - z_j sum(g z) / (C - 1)) / deviation, where g is
// the pull T (p_student - p_teacher).
void add_standardised(const Row& row,
                      const float* logits,
                      const float* pulls,
                      std::int64_t classes,
                      float factor,
                      float* gradient) {
    if (row.deviation == 0.0F) {
        return;
    }
    const float inverse = 1.0F / row.deviation;
    double along = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        along += static_cast<double>(pulls[c] * (logits[c] - row.mean));
    }
    const auto mean =
        static_cast<float>(kernel::sum_of_row(pulls, classes) / static_cast<double>(classes));
    const auto slope =
        static_cast<float>(along / static_cast<double>(classes - 1)) * inverse * inverse;
    for (std::int64_t c = 0; c < classes; ++c) {
        gradient[c] += factor * (pulls[c] - mean - (logits[c] - row.mean) * slope) * inverse;
    }
}

// Adds the weighted KL term to the gradient of a row, and returns it.
double add_distillation(const Softmaxes& student,
                        const Softmaxes& teacher,
                        std::size_t r,
                        const float* logits,
                        std::int64_t classes,
                        const KdLossParameters& parameters,
                        float per_sample,
                        float* pulls,
                        float* gradient) {
    const Row& own = student.row(r);
    const Row& taught = teacher.row(r);
    const auto of_student = static_cast<float>(1.0 / own.sum);
    const auto of_teacher = static_cast<float>(1.0 / taught.sum);
    const double apart = std::log(own.sum) - std::log(taught.sum);
    const float* const e_student = student.exponentials(r);
    const float* const e_teacher = teacher.exponentials(r);
    const float* const x_student = student.exponents(r);
    const float* const x_teacher = teacher.exponents(r);
    double divergence = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        const float p = e_teacher[c] * of_teacher;
        pulls[c] = parameters.temperature * (e_student[c] * of_student - p);
        // Where the teacher sees no chance nothing diverges, not even infinitely.
        divergence += p > 0.0F ? static_cast<double>(p) *
                                     (static_cast<double>(x_teacher[c] - x_student[c]) + apart)
                               : static_cast<double>(p);
    }
    const float factor = parameters.distillation_weight * per_sample;
    if (parameters.standardise) {
        add_standardised(own, logits, pulls, classes, factor, gradient);
    } else {
        for (std::int64_t c = 0; c < classes; ++c) {
            gradient[c] += factor * pulls[c];
        }
    }
    const auto temperature = static_cast<double>(parameters.temperature);
    return static_cast<double>(parameters.distillation_weight) * temperature * temperature *
           divergence;
}

void compute_block(const KdLossInputs<float>& inputs,
                   const KdLossParameters& parameters,
                   const KdLossOutputs<float>& outputs,
                   std::int64_t first,
                   std::int64_t rows) {
    const std::int64_t classes = inputs.classes;
    const auto per_sample = static_cast<float>(1.0 / static_cast<double>(inputs.batch));
    const float* const logits = inputs.student + first * classes;
    const auto tempered = [&](const float* values, Row& row) {
        if (!parameters.standardise) {
            return 1.0F / parameters.temperature;
        }
        measure_moments(values, classes, row);
        return row.deviation == 0.0F ? 0.0F : 1.0F / (row.deviation * parameters.temperature);
    };
    const bool labelled = parameters.cross_entropy_weight != 0.0F;
    const bool taught = parameters.distillation_weight != 0.0F;
    Softmaxes plain(logits, labelled ? rows : 0, classes);
    plain.compute([](const float*, Row&) { return 1.0F; });
    Softmaxes student(logits, taught ? rows : 0, classes);
    student.compute(tempered);
    Softmaxes teacher(inputs.teacher + (taught ? first * classes : 0), taught ? rows : 0, classes);
    teacher.compute(tempered);
    std::vector<float> pulls(static_cast<std::size_t>(classes));
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto index = static_cast<std::size_t>(r);
        float* const gradient = outputs.gradient + (first + r) * classes;
        std::fill_n(gradient, classes, 0.0F);
        double loss = 0.0;
        if (labelled) {
            loss += add_cross_entropy(
                plain, index, classes, inputs.labels[first + r], parameters, per_sample, gradient);
        }
        if (taught) {
            loss += add_distillation(student,
                                     teacher,
                                     index,
                                     logits + r * classes,
                                     classes,
                                     parameters,
                                     per_sample,
                                     pulls.data(),
                                     gradient);
        }
        if (std::isnan(loss)) {
            std::fill_n(gradient, classes, std::numeric_limits<float>::quiet_NaN());
        }
        outputs.sample_loss[first + r] = static_cast<float>(loss);
    }
}

}  // namespace

void kd_loss_fast_cpu(const KdLossInputs<float>& inputs,
                      const KdLossParameters& parameters,
                      const KdLossOutputs<float>& outputs) {
    require_kd_loss(inputs, parameters, outputs);
    const std::int64_t rows =
        std::max<std::int64_t>(1, kBlock / std::max<std::int64_t>(inputs.classes, 1));
    const std::int64_t items = (inputs.batch + rows - 1) / rows;
    kernel::for_each_item(items, inputs.batch * inputs.classes, [&](std::int64_t item) {
        const std::int64_t first = item * rows;
        compute_block(inputs, parameters, outputs, first, std::min(rows, inputs.batch - first));
    });
    const double sum = kernel::sum_of_row(outputs.sample_loss, inputs.batch);
    *outputs.loss =
        static_cast<float>(inputs.batch == 0 ? 0.0 : sum / static_cast<double>(inputs.batch));
}

}  // namespace topress::distillation

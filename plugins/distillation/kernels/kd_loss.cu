// Distillation loss on the device: cross entropy, KL, their mean and the gradient.
//
// Mapping: up to 32 classes, one warp per sample and 4 samples per block; above, one block of 128
// threads
//          per sample; then one block averages the sample losses.
// Bytes:   12 per logit (student and teacher read, gradient written); each row is read again for
// every
//          reduction, from the first-level cache. At these sizes the launches cost more than the
//          bytes.
// Numbers: all from d = x - max(x), which is exact for equal logits, so a constant row is seen as
// one. Source:  Hinton et al. 2015, arXiv 1503.02531; Sun et al. CVPR 2024, arXiv 2403.01427.
#include "kd_loss.hpp"

#include <topress/kernel/launch.cuh>

#include <cmath>

namespace topress::distillation {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kSamplesPerBlock = 4;  // warp per sample
constexpr int kRowThreads = 128;     // block per sample
constexpr int kRowWarps = kRowThreads / kLanes;
constexpr int kMeanThreads = 256;
constexpr int kMostValues = 3;  // reduced together

struct Sum {
    __device__ float operator()(float a, float b) const { return a + b; }
};

struct Max {
    __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// After this every lane holds the same bits: both partners of each exchange add the same two
// numbers.
template <int N, typename Combine>
__device__ void reduce_warp(float (&values)[N], Combine combine) {
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        for (int n = 0; n < N; ++n) {
            values[n] = combine(values[n], __shfl_xor_sync(kFullMask, values[n], lane_mask));
        }
    }
}

// Reductions over all threads of a block of WARPS warps, through shared memory.
template <int WARPS, int N, typename Combine>
__device__ void reduce_block(float (&values)[N], Combine combine) {
    static_assert(N <= kMostValues, "the shared array is too small");
    __shared__ float partial[WARPS][kMostValues];
    reduce_warp(values, combine);
    if (threadIdx.x % kLanes == 0) {
        for (int n = 0; n < N; ++n) {
            partial[threadIdx.x / kLanes][n] = values[n];
        }
    }
    __syncthreads();
    for (int n = 0; n < N; ++n) {
        values[n] = partial[0][n];
        for (int warp = 1; warp < WARPS; ++warp) {
            values[n] = combine(values[n], partial[warp][n]);
        }
    }
    __syncthreads();
}

// The threads that share a sample: a warp, or a block.
struct WarpRow {
    __device__ int first() const { return static_cast<int>(threadIdx.x) % kLanes; }

    __device__ int stride() const { return kLanes; }

    template <int N, typename Combine>
    __device__ void reduce(float (&values)[N], Combine combine) const {
        reduce_warp(values, combine);
    }
};

struct BlockRow {
    __device__ int first() const { return static_cast<int>(threadIdx.x); }

    __device__ int stride() const { return kRowThreads; }

    template <int N, typename Combine>
    __device__ void reduce(float (&values)[N], Combine combine) const {
        reduce_block<kRowWarps>(values, combine);
    }
};

// One logit vector, seen from its top: d = x - top.
struct Logits {
    const float* row;
    float top;
    float mean;               // of d
    float inverse_deviation;  // 1 without standardisation; 0 for a constant row
    float rate;               // of the tempered softmax: log p = rate * d - log_sum
    float log_sum;

    __device__ float from_top(std::int64_t c) const { return __ldg(row + c) - top; }

    __device__ float z(std::int64_t c) const { return (from_top(c) - mean) * inverse_deviation; }

    __device__ float log_probability(std::int64_t c) const { return rate * from_top(c) - log_sum; }
};

struct Work {
    KdLossInputs<float> inputs;
    KdLossParameters parameters;
    KdLossOutputs<float> outputs;
    bool distils;
    bool learns_labels;
};

template <typename Row>
__device__ void find_tops(Row row, std::int64_t classes, Logits& student, Logits& teacher) {
    float tops[2] = {-INFINITY, -INFINITY};
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        tops[0] = fmaxf(tops[0], __ldg(student.row + c));
        tops[1] = fmaxf(tops[1], __ldg(teacher.row + c));
    }
    row.reduce(tops, Max());
    student.top = tops[0];
    teacher.top = tops[1];
}

__device__ inline float invert_deviation(float squares, std::int64_t classes) {
    const float deviation = sqrtf(squares / static_cast<float>(classes - 1));
    return deviation <= static_cast<float>(kKdLeastDeviation) ? 0.0f : 1.0f / deviation;
}

template <typename Row>
__device__ void standardise(Row row, std::int64_t classes, Logits& student, Logits& teacher) {
    if (classes < 2) {
        student.inverse_deviation = 0.0f;
        teacher.inverse_deviation = 0.0f;
        return;
    }
    float sums[2] = {0.0f, 0.0f};
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        sums[0] += student.from_top(c);
        sums[1] += teacher.from_top(c);
    }
    row.reduce(sums, Sum());
    student.mean = sums[0] / static_cast<float>(classes);
    teacher.mean = sums[1] / static_cast<float>(classes);
    float squares[2] = {0.0f, 0.0f};
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        const float s = student.from_top(c) - student.mean;
        const float t = teacher.from_top(c) - teacher.mean;
        squares[0] += s * s;
        squares[1] += t * t;
    }
    row.reduce(squares, Sum());
    student.inverse_deviation = invert_deviation(squares[0], classes);
    teacher.inverse_deviation = invert_deviation(squares[1], classes);
}

// Normalises both tempered softmaxes; returns the log-sum of the student's plain one.
template <typename Row>
__device__ float normalise(Row row, std::int64_t classes, Logits& student, Logits& teacher) {
    float sums[3] = {0.0f, 0.0f, 0.0f};
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        const float s = student.from_top(c);
        sums[0] += expf(s);
        sums[1] += expf(student.rate * s);
        sums[2] += expf(teacher.rate * teacher.from_top(c));
    }
    row.reduce(sums, Sum());
    student.log_sum = logf(sums[1]);
    teacher.log_sum = logf(sums[2]);
    return logf(sums[0]);
}

__device__ inline float pull(const Logits& student,
                             const Logits& teacher,
                             std::int64_t c,
                             float temperature) {
    return temperature * (expf(student.log_probability(c)) - expf(teacher.log_probability(c)));
}

// Sums of a row: its cross entropy, its KL divergence, and sum(g z) for the gradient of the
// z-score.
template <typename Row>
__device__ void sum_losses(Row row,
                           const Work& work,
                           std::int64_t label,
                           const Logits& student,
                           const Logits& teacher,
                           float plain_log_sum,
                           float (&sums)[3]) {
    const std::int64_t classes = work.inputs.classes;
    const float smoothing = work.parameters.label_smoothing;
    const float spread = smoothing / static_cast<float>(classes);
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        if (work.learns_labels) {
            const float target = spread + (c == label ? 1.0f - smoothing : 0.0f);
            sums[0] -= target > 0.0f ? target * (student.from_top(c) - plain_log_sum) : 0.0f;
        }
        if (work.distils) {
            const float log_t = teacher.log_probability(c);
            const float p_t = expf(log_t);
            sums[1] += p_t > 0.0f ? p_t * (log_t - student.log_probability(c)) : 0.0f;
            sums[2] += pull(student, teacher, c, work.parameters.temperature) * student.z(c);
        }
    }
    row.reduce(sums, Sum());
}

template <typename Row>
__device__ void write_gradient(Row row,
                               const Work& work,
                               std::int64_t sample,
                               std::int64_t label,
                               const Logits& student,
                               const Logits& teacher,
                               float plain_log_sum,
                               float along_z,
                               bool is_valid) {
    const std::int64_t classes = work.inputs.classes;
    const KdLossParameters& p = work.parameters;
    const float per_sample = 1.0f / static_cast<float>(work.inputs.batch);
    const float spread = p.label_smoothing / static_cast<float>(classes);
    float* const gradient = work.outputs.gradient + sample * classes;
    for (std::int64_t c = row.first(); c < classes; c += row.stride()) {
        float total = 0.0f;
        if (work.learns_labels) {
            const float target = spread + (c == label ? 1.0f - p.label_smoothing : 0.0f);
            total += p.cross_entropy_weight * (expf(student.from_top(c) - plain_log_sum) - target);
        }
        if (work.distils) {
            // mean(g) is left out: both softmaxes sum to 1, so it is 0.
            const float g = pull(student, teacher, c, p.temperature);
            const float bent = p.standardise ? student.z(c) * along_z : 0.0f;
            total += p.distillation_weight * (g - bent) * student.inverse_deviation;
        }
        gradient[c] = is_valid ? total * per_sample : NAN;
    }
}

template <typename Row>
__device__ void compute_row(Row row, const Work& work, std::int64_t sample) {
    const std::int64_t classes = work.inputs.classes;
    const KdLossParameters& p = work.parameters;
    const float* const student_row = work.inputs.student + sample * classes;
    // Without a teacher the student stands in; its terms are not used.
    const float* const teacher_row =
        work.distils ? work.inputs.teacher + sample * classes : student_row;
    Logits student{student_row, 0.0f, 0.0f, 1.0f, 1.0f, 0.0f};
    Logits teacher{teacher_row, 0.0f, 0.0f, 1.0f, 1.0f, 0.0f};
    find_tops(row, classes, student, teacher);
    if (p.standardise) {
        standardise(row, classes, student, teacher);
    }
    student.rate = student.inverse_deviation / p.temperature;
    teacher.rate = teacher.inverse_deviation / p.temperature;
    const float plain_log_sum = normalise(row, classes, student, teacher);

    const std::int64_t label = work.learns_labels ? work.inputs.labels[sample] : 0;
    float sums[3] = {0.0f, 0.0f, 0.0f};
    sum_losses(row, work, label, student, teacher, plain_log_sum, sums);
    float loss = p.distillation_weight * p.temperature * p.temperature * sums[1];
    loss += work.learns_labels ? p.cross_entropy_weight * sums[0] : 0.0f;
    const bool is_valid = label >= 0 && label < classes && !isnan(loss);
    const float along_z = classes > 1 ? sums[2] / static_cast<float>(classes - 1) : 0.0f;
    write_gradient(row, work, sample, label, student, teacher, plain_log_sum, along_z, is_valid);
    if (row.first() == 0) {
        work.outputs.sample_loss[sample] = is_valid ? loss : NAN;
    }
}

__global__ void kd_loss_warp_kernel(Work work) {
    const std::int64_t sample =
        static_cast<std::int64_t>(blockIdx.x) * kSamplesPerBlock + threadIdx.x / kLanes;
    if (sample < work.inputs.batch) {  // whole warps leave together
        compute_row(WarpRow(), work, sample);
    }
}

__global__ void kd_loss_block_kernel(Work work) {
    compute_row(BlockRow(), work, static_cast<std::int64_t>(blockIdx.x));
}

__global__ void kd_loss_mean_kernel(const float* sample_loss, std::int64_t batch, float* loss) {
    float sum[1] = {0.0f};
    for (std::int64_t sample = threadIdx.x; sample < batch; sample += kMeanThreads) {
        sum[0] += sample_loss[sample];
    }
    reduce_block<kMeanThreads / kLanes>(sum, Sum());
    if (threadIdx.x == 0) {
        *loss = batch > 0 ? sum[0] / static_cast<float>(batch) : 0.0f;
    }
}

}  // namespace

void launch_kd_loss(const KdLossInputs<float>& inputs,
                    const KdLossParameters& parameters,
                    const KdLossOutputs<float>& outputs,
                    void* stream) {
    require_kd_loss(inputs, parameters, outputs);
    const Work work{inputs,
                    parameters,
                    outputs,
                    parameters.distillation_weight != 0.0f,
                    parameters.cross_entropy_weight != 0.0f};
    if (inputs.batch > 0 && inputs.classes <= kLanes) {
        const unsigned blocks = kernel::grid_blocks(inputs.batch, kSamplesPerBlock);
        TOPRESS_LAUNCH(kd_loss_warp_kernel, blocks, kSamplesPerBlock * kLanes, 0, stream, work);
    } else if (inputs.batch > 0) {
        const unsigned blocks = kernel::grid_blocks(inputs.batch, 1);
        TOPRESS_LAUNCH(kd_loss_block_kernel, blocks, kRowThreads, 0, stream, work);
    }
    TOPRESS_LAUNCH(kd_loss_mean_kernel,
                   1,
                   kMeanThreads,
                   0,
                   stream,
                   outputs.sample_loss,
                   inputs.batch,
                   outputs.loss);
}

}  // namespace topress::distillation

// Distillation loss on the device: cross entropy, KL, their mean and the gradient.
//
// Mapping: up to 128 classes, 4 to 32 lanes of a warp per sample, each with up to 4 classes; above,
//          one block of 128 threads per sample. Then one warp averages up to 256 sample losses, or
//          one block of 1024 threads any number.
// Bytes:   12 per logit (student and teacher read, gradient written). Lanes keep their logits and
//          exponentials in registers; a block reads its row again for every reduction, from the
//          first-level cache. Small batches cost two launches, more than their bytes.
// Numbers: all from d = x - max(x), which is exact for equal logits, so a constant row is seen as
//          one.
// Source:  Hinton et al. 2015, arXiv 1503.02531; Sun et al. CVPR 2024, arXiv 2403.01427.
#include "kd_loss.hpp"

#include <topress/kernel/launch.cuh>

#include <cmath>

namespace topress::distillation {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kRowThreads = 128;  // of every block that computes rows
constexpr int kRowWarps = kRowThreads / kLanes;
constexpr int kKept = 4;        // classes of a lane
constexpr int kMostValues = 3;  // reduced together

constexpr int kWideMeanWarps = 32;
constexpr int kMeanInFlight = 8;  // loads of a thread before it adds
constexpr std::int64_t kSamplesOfWarp = kLanes * kMeanInFlight;

struct Sum {
    __device__ float operator()(float a, float b) const { return a + b; }
};

struct Max {
    __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// After this each of the LANES neighbouring lanes holds the same bits: both partners of each
// exchange add the same two numbers.
template <int LANES, int N, typename Combine>
__device__ void reduce_lanes(float (&values)[N], Combine combine) {
    for (int lane_mask = LANES / 2; lane_mask > 0; lane_mask /= 2) {
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
    reduce_lanes<kLanes>(values, combine);
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

// The threads that share a sample. each() visits a thread's own classes; a Memo holds one value for
// each of them: `first` computes it, `again` gives it later.

// Lanes of a warp with a few classes each: a Memo keeps its values in registers.
template <int LANES>
struct GroupRow {
    struct Place {
        int kept;
        int c;
    };

    struct Memo {
        float kept[kKept] = {};

        template <typename Compute>
        __device__ float first(Place at, Compute compute) {
            kept[at.kept] = compute();
            return kept[at.kept];
        }

        template <typename Compute>
        __device__ float again(Place at, Compute) const {
            return kept[at.kept];
        }
    };

    __device__ int first() const { return static_cast<int>(threadIdx.x) % LANES; }

    template <typename Visit>
    __device__ void each(std::int64_t classes, Visit visit) const {
        for (int i = 0; i < kKept; ++i) {
            const int c = first() + i * LANES;
            if (c < static_cast<int>(classes)) {
                visit(Place{i, c});
            }
        }
    }

    template <int N, typename Combine>
    __device__ void reduce(float (&values)[N], Combine combine) const {
        reduce_lanes<LANES>(values, combine);
    }
};

// A block with any number of classes: a Memo computes its values again.
struct BlockRow {
    struct Place {
        std::int64_t c;
    };

    struct Memo {
        template <typename Compute>
        __device__ float first(Place, Compute compute) const {
            return compute();
        }

        template <typename Compute>
        __device__ float again(Place, Compute compute) const {
            return compute();
        }
    };

    __device__ int first() const { return static_cast<int>(threadIdx.x); }

    template <typename Visit>
    __device__ void each(std::int64_t classes, Visit visit) const {
        for (std::int64_t c = first(); c < classes; c += kRowThreads) {
            visit(Place{c});
        }
    }

    template <int N, typename Combine>
    __device__ void reduce(float (&values)[N], Combine combine) const {
        reduce_block<kRowWarps>(values, combine);
    }
};

// A softmax over rate * d, with d = x - top of a logit vector.
template <typename Row>
struct Softmax {
    using Place = typename Row::Place;

    float rate = 1.0f;
    float log_sum = 0.0f;
    float inverse_sum = 1.0f;
    typename Row::Memo exponentials = {};

    __device__ float exponential(Place at, float d) {
        return exponentials.first(at, [&] { return expf(rate * d); });
    }

    __device__ void normalise(float sum) {
        log_sum = logf(sum);
        inverse_sum = 1.0f / sum;
    }

    __device__ float log_probability(float d) const { return rate * d - log_sum; }

    __device__ float probability(Place at, float d) const {
        return inverse_sum * exponentials.again(at, [&] { return expf(rate * d); });
    }
};

// One logit vector, seen from its top.
template <typename Row>
struct Logits {
    using Place = typename Row::Place;

    const float* row;
    float top = 0.0f;
    float mean = 0.0f;               // of d
    float inverse_deviation = 1.0f;  // 1 without standardisation; 0 for a constant row
    Softmax<Row> tempered = {};
    typename Row::Memo values = {};

    __device__ float load(Place at) {
        return values.first(at, [&] { return __ldg(row + at.c); });
    }

    __device__ float from_top(Place at) const {
        return values.again(at, [&] { return __ldg(row + at.c); }) - top;
    }

    __device__ float z(Place at) const { return (from_top(at) - mean) * inverse_deviation; }

    __device__ float exponential(Place at) { return tempered.exponential(at, from_top(at)); }

    __device__ float log_probability(Place at) const {
        return tempered.log_probability(from_top(at));
    }

    __device__ float probability(Place at) const { return tempered.probability(at, from_top(at)); }
};

struct Work {
    KdLossInputs<float> inputs;
    KdLossParameters parameters;
    KdLossOutputs<float> outputs;
    bool distils;
    bool learns_labels;
    float per_sample;  // share of a sample in the mean
    float spread;      // of label smoothing, on every class
};

template <typename Row>
struct Sample {
    Logits<Row> student;
    Logits<Row> teacher;
    Softmax<Row> plain = {};  // of the student, without temperature
    std::int64_t label = 0;
};

template <typename Row>
__device__ void find_tops(Row row, std::int64_t classes, Sample<Row>& sample) {
    float tops[2] = {-INFINITY, -INFINITY};
    row.each(classes, [&](auto at) {
        tops[0] = fmaxf(tops[0], sample.student.load(at));
        tops[1] = fmaxf(tops[1], sample.teacher.load(at));
    });
    row.reduce(tops, Max());
    sample.student.top = tops[0];
    sample.teacher.top = tops[1];
}

__device__ inline float invert_deviation(float squares, std::int64_t classes) {
    const float deviation = sqrtf(squares / static_cast<float>(classes - 1));
    return deviation <= static_cast<float>(kKdLeastDeviation) ? 0.0f : 1.0f / deviation;
}

template <typename Row>
__device__ void standardise(Row row, std::int64_t classes, Sample<Row>& sample) {
    Logits<Row>& student = sample.student;
    Logits<Row>& teacher = sample.teacher;
    if (classes < 2) {
        student.inverse_deviation = 0.0f;
        teacher.inverse_deviation = 0.0f;
        return;
    }
    float sums[2] = {0.0f, 0.0f};
    row.each(classes, [&](auto at) {
        sums[0] += student.from_top(at);
        sums[1] += teacher.from_top(at);
    });
    row.reduce(sums, Sum());
    student.mean = sums[0] / static_cast<float>(classes);
    teacher.mean = sums[1] / static_cast<float>(classes);
    float squares[2] = {0.0f, 0.0f};
    row.each(classes, [&](auto at) {
        const float s = student.from_top(at) - student.mean;
        const float t = teacher.from_top(at) - teacher.mean;
        squares[0] += s * s;
        squares[1] += t * t;
    });
    row.reduce(squares, Sum());
    student.inverse_deviation = invert_deviation(squares[0], classes);
    teacher.inverse_deviation = invert_deviation(squares[1], classes);
}

// Normalises both tempered softmaxes and the student's plain one, those that are used.
template <typename Row>
__device__ void normalise(Row row, const Work& work, Sample<Row>& sample) {
    const float temperature = work.parameters.temperature;
    sample.student.tempered.rate = sample.student.inverse_deviation / temperature;
    sample.teacher.tempered.rate = sample.teacher.inverse_deviation / temperature;
    float sums[3] = {0.0f, 0.0f, 0.0f};
    row.each(work.inputs.classes, [&](auto at) {
        if (work.learns_labels) {
            sums[0] += sample.plain.exponential(at, sample.student.from_top(at));
        }
        if (work.distils) {
            sums[1] += sample.student.exponential(at);
            sums[2] += sample.teacher.exponential(at);
        }
    });
    row.reduce(sums, Sum());
    sample.plain.normalise(sums[0]);
    sample.student.tempered.normalise(sums[1]);
    sample.teacher.tempered.normalise(sums[2]);
}

// The probability that the label asks for.
__device__ inline float target_of(const Work& work, std::int64_t c, std::int64_t label) {
    return work.spread + (c == label ? 1.0f - work.parameters.label_smoothing : 0.0f);
}

template <typename Row>
__device__ float pull(const Work& work, const Sample<Row>& sample, typename Row::Place at) {
    return work.parameters.temperature *
           (sample.student.probability(at) - sample.teacher.probability(at));
}

// Sums of a row: its cross entropy, its KL divergence, and sum(g z) for the gradient of the
// z-score.
template <typename Row>
__device__ void sum_losses(Row row, const Work& work, const Sample<Row>& sample, float (&sums)[3]) {
    const Logits<Row>& student = sample.student;
    const Logits<Row>& teacher = sample.teacher;
    row.each(work.inputs.classes, [&](auto at) {
        if (work.learns_labels) {
            const float target = target_of(work, at.c, sample.label);
            const float log_p = sample.plain.log_probability(student.from_top(at));
            sums[0] -= target > 0.0f ? target * log_p : 0.0f;
        }
        if (work.distils) {
            const float p_t = teacher.probability(at);
            const float difference = teacher.log_probability(at) - student.log_probability(at);
            sums[1] += p_t > 0.0f ? p_t * difference : 0.0f;
            sums[2] += pull(work, sample, at) * student.z(at);
        }
    });
    row.reduce(sums, Sum());
}

template <typename Row>
__device__ void write_gradient(Row row,
                               const Work& work,
                               const Sample<Row>& sample,
                               float along_z,
                               bool is_valid,
                               float* gradient) {
    const KdLossParameters& p = work.parameters;
    const Logits<Row>& student = sample.student;
    row.each(work.inputs.classes, [&](auto at) {
        float total = 0.0f;
        if (work.learns_labels) {
            const float target = target_of(work, at.c, sample.label);
            const float probability = sample.plain.probability(at, student.from_top(at));
            total += p.cross_entropy_weight * (probability - target);
        }
        if (work.distils) {
            // mean(g) is left out: both softmaxes sum to 1, so it is 0.
            const float bent = p.standardise ? student.z(at) * along_z : 0.0f;
            total +=
                p.distillation_weight * (pull(work, sample, at) - bent) * student.inverse_deviation;
        }
        gradient[at.c] = is_valid ? total * work.per_sample : NAN;
    });
}

// Computes sample `index`, and writes its results if `writes`: lanes without a sample of their own
// compute another one again, so that whole warps meet in every reduction.
template <typename Row>
__device__ void compute_row(Row row, const Work& work, std::int64_t index, bool writes) {
    const std::int64_t classes = work.inputs.classes;
    const KdLossParameters& p = work.parameters;
    const float* const student_row = work.inputs.student + index * classes;
    // Without a teacher the student stands in; its terms are not used.
    const float* const teacher_row =
        work.distils ? work.inputs.teacher + index * classes : student_row;
    Sample<Row> sample{{student_row}, {teacher_row}};
    sample.label = work.learns_labels ? __ldg(work.inputs.labels + index) : 0;
    find_tops(row, classes, sample);
    if (p.standardise) {
        standardise(row, classes, sample);
    }
    normalise(row, work, sample);

    float sums[3] = {0.0f, 0.0f, 0.0f};
    sum_losses(row, work, sample, sums);
    float loss = p.distillation_weight * p.temperature * p.temperature * sums[1];
    loss += work.learns_labels ? p.cross_entropy_weight * sums[0] : 0.0f;
    const bool is_valid = sample.label >= 0 && sample.label < classes && !isnan(loss);
    const float along_z = classes > 1 ? sums[2] / static_cast<float>(classes - 1) : 0.0f;
    if (writes) {
        float* const gradient = work.outputs.gradient + index * classes;
        write_gradient(row, work, sample, along_z, is_valid, gradient);
        if (row.first() == 0) {
            work.outputs.sample_loss[index] = is_valid ? loss : NAN;
        }
    }
}

template <int LANES>
__global__ void __launch_bounds__(kRowThreads) kd_loss_group_kernel(Work work) {
    const std::int64_t index =
        static_cast<std::int64_t>(blockIdx.x) * (kRowThreads / LANES) + threadIdx.x / LANES;
    const std::int64_t last = work.inputs.batch - 1;
    compute_row(GroupRow<LANES>(), work, index < last ? index : last, index <= last);
}

__global__ void __launch_bounds__(kRowThreads) kd_loss_block_kernel(Work work) {
    compute_row(BlockRow(), work, static_cast<std::int64_t>(blockIdx.x), true);
}

template <int WARPS>
__global__ void __launch_bounds__(WARPS* kLanes)
    kd_loss_mean_kernel(const float* sample_loss, std::int64_t batch, float* loss) {
    constexpr int kStride = WARPS * kLanes;
    float sums[kMeanInFlight] = {};
    for (std::int64_t sample = threadIdx.x; sample < batch; sample += kStride * kMeanInFlight) {
        for (int i = 0; i < kMeanInFlight; ++i) {
            const std::int64_t at = sample + i * kStride;
            sums[i] += at < batch ? sample_loss[at] : 0.0f;
        }
    }
    float sum[1] = {0.0f};
    for (const float part : sums) {
        sum[0] += part;
    }
    if constexpr (WARPS == 1) {
        reduce_lanes<kLanes>(sum, Sum());
    } else {
        reduce_block<WARPS>(sum, Sum());
    }
    if (threadIdx.x == 0) {
        *loss = batch > 0 ? sum[0] / static_cast<float>(batch) : 0.0f;
    }
}

template <int LANES>
void launch_groups(const Work& work, void* stream) {
    const unsigned blocks = kernel::grid_blocks(work.inputs.batch, kRowThreads / LANES);
    TOPRESS_LAUNCH(kd_loss_group_kernel<LANES>, blocks, kRowThreads, 0, stream, work);
}

void launch_rows(const Work& work, void* stream) {
    const std::int64_t classes = work.inputs.classes;
    if (classes <= 4 * kKept) {
        launch_groups<4>(work, stream);
    } else if (classes <= 8 * kKept) {
        launch_groups<8>(work, stream);
    } else if (classes <= 16 * kKept) {
        launch_groups<16>(work, stream);
    } else if (classes <= 32 * kKept) {
        launch_groups<32>(work, stream);
    } else {
        const unsigned blocks = kernel::grid_blocks(work.inputs.batch, 1);
        TOPRESS_LAUNCH(kd_loss_block_kernel, blocks, kRowThreads, 0, stream, work);
    }
}

template <int WARPS>
void launch_mean(const Work& work, void* stream) {
    TOPRESS_LAUNCH(kd_loss_mean_kernel<WARPS>,
                   1,
                   WARPS * kLanes,
                   0,
                   stream,
                   work.outputs.sample_loss,
                   work.inputs.batch,
                   work.outputs.loss);
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
                    parameters.cross_entropy_weight != 0.0f,
                    1.0f / static_cast<float>(inputs.batch),
                    parameters.label_smoothing / static_cast<float>(inputs.classes)};
    if (inputs.batch > 0) {
        launch_rows(work, stream);
    }
    if (inputs.batch <= kSamplesOfWarp) {
        launch_mean<1>(work, stream);
    } else {
        launch_mean<kWideMeanWarps>(work, stream);
    }
}

}  // namespace topress::distillation

/* The C boundary between the topress host and a plugin: entry symbol, fingerprint, function tables.
 *
 * Compiles as C11 and as C++17/20. Everything that crosses is a C type, except one: `at::Tensor`
 * travels behind the opaque `topress_tensor`, and only after the build fingerprints were equal.
 *
 * Three promises, each with its own number:
 *   may we call each other   TOPRESS_ABI_MAJOR / MINOR (this file's layout)
 *   what do we call          the version at the end of an interface id ("topress.model/1")
 *   may we share tensors     topress_fingerprint (LibTorch, standard library, object sizes)
 *
 * Rules that hold for every table and struct here:
 *   - `struct_size` (the first member, after the magic number in the entry) is the size that the
 *     side that filled it knows; a reader accepts any size >= that of MAJOR.0, and what lies beyond
 *     the size it was given is absent;
 *   - entries are only ever appended; an appended entry raises the minor number and says since when
 *     ("since 1.1" in its closing brackets);
 *   - brackets that close a comment say on which thread and when a function may be called; those of
 *     a table hold for its functions without any; the run thread is the one apply is called on;
 *   - in an array of structs the first element's `struct_size` is the stride to the next: caller
 *     and callee may know different sizes;
 *   - a function returns TOPRESS_OK or fills `error` (never null, owned by the caller) and returns
 * its code;
 *   - strings are UTF-8, zero-terminated, and borrowed: a pointer handed to you is valid until you
 *     call the same object again or the call you are in returns, whichever comes first; copy what
 * you keep;
 *   - no exception crosses: plugins get trampolines from <topress/plugin.hpp>.
 */
#ifndef TOPRESS_ABI_H
#define TOPRESS_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this header's layout: another major is refused, so is a minor above the host's. */
#define TOPRESS_ABI_MAJOR 1
/* Raised by every addition. */
#define TOPRESS_ABI_MINOR 0
/* First bytes of a topress_entry. */
#define TOPRESS_ENTRY_MAGIC 0x31535345525004F5ULL
/* The one symbol that a plugin exports: a topress_entry. */
#define TOPRESS_ENTRY_SYMBOL "topress_plugin_entry"
/* Name of both ELF notes; type 1 carries plugin.toml, type 2 a topress_abi_note. */
#define TOPRESS_NOTE_NAME "topress"
/* The note with plugin.toml, byte for byte. */
#define TOPRESS_NOTE_TYPE 1
/* The note with a topress_abi_note. */
#define TOPRESS_ABI_NOTE_TYPE 2

#if defined(__GNUC__)
#define TOPRESS_EXPORT __attribute__((visibility("default")))
#else
#define TOPRESS_EXPORT
#endif

/* ---- status and error ---------------------------------------------------------------------- */

/* What a function returns: TOPRESS_OK or one of TOPRESS_ERROR_... */
typedef int32_t topress_status;

enum {
    TOPRESS_OK = 0,                     /* done; nothing was written to the error */
    TOPRESS_ERROR_INVALID_ARGUMENT = 1, /* a value the callee cannot work with */
    TOPRESS_ERROR_NOT_FOUND = 2,        /* no node, parameter, interface... of that name */
    TOPRESS_ERROR_UNSUPPORTED = 3,      /* known, but this network / build / device cannot do it */
    TOPRESS_ERROR_CANCELLED = 4,        /* the user interrupted the run */
    TOPRESS_ERROR_FAILED = 5,           /* anything else, see message */
    TOPRESS_ERROR_BUFFER_TOO_SMALL = 6  /* too little room for the outputs */
};

/* Filled by the callee when it fails; the caller owns it and sets `struct_size` before the call. */
typedef struct topress_error {
    uint32_t struct_size;
    topress_status code; /* the same that the function returned */
    char message[1008];  /* what went wrong, one line */
    char where[256];     /* node, parameter or function it happened at; may be empty */
} topress_error;

/* ---- build fingerprint: may we share C++ objects? ------------------------------------------ */

/* How C++ objects look in this build; every field has to be equal for a tensor to cross. */
typedef struct topress_fingerprint {
    uint32_t struct_size;
    uint32_t cxx11_abi;           /* _GLIBCXX_USE_CXX11_ABI */
    uint32_t size_of_tensor;      /* sizeof(at::Tensor) */
    uint32_t size_of_tensor_impl; /* sizeof(c10::TensorImpl) */
    uint32_t size_of_string;      /* sizeof(std::string) */
    uint32_t size_of_shared_ptr;  /* sizeof(std::shared_ptr<void>) */
    char torch_version[32];       /* "2.11.0" */
    char torch_flavour[16];       /* "release" | "debug" */
    char standard_library[32];    /* "libstdc++" | "libc++" */
} topress_fingerprint;

/* How a plugin was built, readable from its file before anything of it runs. */
typedef struct topress_abi_note {
    uint32_t struct_size;
    uint32_t abi_major; /* of the header the plugin was built with */
    uint32_t abi_minor; /* as abi_major */
    uint32_t reserved;
    topress_fingerprint fingerprint; /* of the build */
} topress_abi_note;

/* ---- opaque objects ------------------------------------------------------------------------ */

typedef struct topress_tensor topress_tensor;       /* an at::Tensor, see <topress/tensor.hpp> */
typedef struct topress_model topress_model;         /* a network of the host */
typedef struct topress_reader topress_reader;       /* batches being read */
typedef struct topress_run topress_run;             /* the stage that is running */
typedef struct topress_technique topress_technique; /* an object of the plugin */

/* ---- what the host hands over at init ------------------------------------------------------- */

/* The host, as a plugin gets it in init. Lives as long as the process. */
typedef struct topress_host {
    uint32_t struct_size;
    uint32_t abi_major;  /* TOPRESS_ABI_MAJOR of the host */
    uint32_t abi_minor;  /* TOPRESS_ABI_MINOR of the host */
    const char* version; /* of the host, "0.1.0" */
    /* The table of an interface ("topress.model/1"), or null if this host has none.
     * [any thread, after init] */
    const void* (*get_interface)(const char* id);
} topress_host;

/* ---- the entry: the one exported data symbol of a plugin ------------------------------------ */

/* What TOPRESS_ENTRY_SYMBOL names. Constant data: it is read before any code of the plugin runs. */
typedef struct topress_entry {
    uint64_t magic; /* TOPRESS_ENTRY_MAGIC */
    uint32_t struct_size;
    uint16_t abi_major;                     /* of the header the plugin was built with */
    uint16_t abi_minor;                     /* as abi_major */
    const uint8_t* metadata;                /* plugin.toml, the same bytes as in the ELF note */
    uint64_t metadata_size;                 /* bytes */
    const topress_fingerprint* fingerprint; /* of the build, as in the ELF note */
    /* Called once after all gates passed; `host` lives as long as the process.
     * [main thread, first call into the library] */
    topress_status (*init)(const topress_host* host, topress_error* error);
    /* The process is about to end or the plugin is no longer used: stop own threads. Optional, may
     * be null. The library is never unloaded. [main thread, last call into the library] */
    void (*quiesce)(void);
    /* A table the plugin offers ("topress.techniques/1"), or null. [any thread, after init] */
    const void* (*get_interface)(const char* id);
} topress_entry;

/* ---- typed parameters ----------------------------------------------------------------------- */

enum {
    TOPRESS_TYPE_BOOL = 1,         /* integer: 0 or 1 */
    TOPRESS_TYPE_INTEGER = 2,      /* integer */
    TOPRESS_TYPE_NUMBER = 3,       /* number */
    TOPRESS_TYPE_STRING = 4,       /* string */
    TOPRESS_TYPE_INTEGER_LIST = 5, /* integers and count */
    TOPRESS_TYPE_NUMBER_LIST = 6,  /* numbers and count */
    TOPRESS_TYPE_STRING_LIST = 7   /* strings and count */
};

/* One named, typed value: a parameter of a technique or an attribute of a node. Only the members
 * that `type` names are read; `count` is the length of a list. */
typedef struct topress_value {
    uint32_t struct_size;
    int32_t type;               /* TOPRESS_TYPE_... */
    const char* name;           /* of the parameter, attribute or setting */
    int64_t integer;            /* also bool: 0 or 1 */
    double number;              /* a real number */
    const char* string;         /* UTF-8, zero-terminated */
    uint64_t count;             /* elements of the list */
    const int64_t* integers;    /* null when count is 0 */
    const double* numbers;      /* null when count is 0 */
    const char* const* strings; /* null when count is 0 */
} topress_value;

/* ---- topress.techniques/1: what a plugin offers --------------------------------------------- */

/* Id of topress_techniques_v1, asked of the plugin's entry. */
#define TOPRESS_TECHNIQUES_1 "topress.techniques/1"

/* One stage of a run, as the technique sees it. `model` is changed in place; `original` is the
 * baseline network and must not be changed. Both are borrowed. */
typedef struct topress_stage {
    uint32_t struct_size;
    topress_run* run;        /* for topress.run/1, topress.data/1 and topress.training/1 */
    topress_model* model;    /* the network to change */
    topress_model* original; /* the baseline network */
    const char* label;       /* of the instance in the configuration */
    const char* device;      /* "cpu" or "cuda:0" */
} topress_stage;

/* The techniques of a plugin; every entry is needed. */
typedef struct topress_techniques_v1 {
    uint32_t struct_size;
    /* Makes one instance of the technique with this id. `out` is released with destroy().
     * [main thread] */
    topress_status (*create)(const char* technique_id,
                             topress_technique** out,
                             topress_error* error);
    /* Releases an instance, never null. [main thread, never during apply] */
    void (*destroy)(topress_technique* technique);
    /* Takes all parameters, already validated against the schema in plugin.toml, defaults filled
     * in. [main thread, once, before apply] */
    topress_status (*configure)(topress_technique* technique,
                                const topress_value* parameters,
                                uint64_t count,
                                topress_error* error);
    /* Does the work on stage->model. On failure the host goes back to the stage's input.
     * [run thread, after configure] */
    topress_status (*apply)(topress_technique* technique,
                            const topress_stage* stage,
                            topress_error* error);
} topress_techniques_v1;

/* ---- topress.model/1: the network ------------------------------------------------------------
 * A network is a list of nodes in execution order. Node, value and parameter names are unique and
 * stable. Indices are those of the moment: any edit invalidates them. Not thread-safe. */

/* Id of topress_model_v1, asked of the host. */
#define TOPRESS_MODEL_1 "topress.model/1"

/* What one sample costs. */
typedef struct topress_cost {
    uint32_t struct_size;
    uint32_t reserved;
    double macs;          /* of one sample, all of the network's main path, conv and linear */
    double bitops;        /* sum of MACs * bits_w * bits_a; expected value when exits have shares */
    double expected_macs; /* as bitops, with exits weighted by their shares */
    double parameters;    /* count */
    double stored_bytes;  /* packed at their bits, scales and biases included */
} topress_cost;

/* An exit: a branch that may answer before the main output. */
typedef struct topress_exit {
    uint32_t struct_size;
    uint32_t reserved;
    const char* name;      /* unique among the exits */
    const char* logits;    /* value with the exit's logits */
    const char* criterion; /* "max-probability", "margin", "entropy", "agreement", "closeness" */
    double threshold;      /* leaves when the criterion is >= threshold */
    double share;          /* measured share of samples that leave here, NaN = never measured */
} topress_exit;

/* Walking and changing a network. No entry is null. [run thread, within apply or what it calls] */
typedef struct topress_model_v1 {
    uint32_t struct_size;

    /* Walking. Values are named by the node output, parameter or input they are. */

    /* Number of nodes. */
    uint64_t (*node_count)(const topress_model*);
    /* Name, operator and numbers of inputs and outputs of the node at `index`. */
    topress_status (*node)(const topress_model*,
                           uint64_t index,
                           const char** name,
                           const char** op,
                           uint64_t* inputs,
                           uint64_t* outputs,
                           topress_error*);
    /* Name of the value it reads: activations first, then parameters. */
    topress_status (*node_input)(
        const topress_model*, const char* node, uint64_t index, const char** value, topress_error*);
    /* Name of the value it makes. */
    topress_status (*node_output)(
        const topress_model*, const char* node, uint64_t index, const char** value, topress_error*);
    /* `out` borrows from the model. NOT_FOUND when the node has no such attribute. */
    topress_status (*node_attribute)(const topress_model*,
                                     const char* node,
                                     const char* attribute,
                                     topress_value* out,
                                     topress_error*);
    /* Adds or replaces an attribute. INVALID_ARGUMENT when the operator cannot have it. */
    topress_status (*set_attribute)(topress_model*,
                                    const char* node,
                                    const topress_value* value,
                                    topress_error*);
    /* Shape of a value without the batch dimension; writes at most `capacity` sizes, *rank is the
     * number there are. */
    topress_status (*value_shape)(const topress_model*,
                                  const char* value,
                                  int64_t* sizes,
                                  uint64_t capacity,
                                  uint64_t* rank,
                                  topress_error*);
    const char* (*input)(const topress_model*);  /* name of the input value */
    const char* (*output)(const topress_model*); /* name of the main output value */
    /* Makes another value the main output. */
    topress_status (*set_output)(topress_model*, const char* value, topress_error*);

    /* Parameters and buffers. A tensor handed out shares storage with the model's. */

    /* Number of parameters and buffers. */
    uint64_t (*parameter_count)(const topress_model*);
    /* Name of the parameter or buffer at `index`. */
    topress_status (*parameter_name)(const topress_model*,
                                     uint64_t index,
                                     const char** name,
                                     topress_error*);
    /* `out` points to a live at::Tensor that is assigned. */
    topress_status (*parameter)(const topress_model*,
                                const char* name,
                                topress_tensor* out,
                                topress_error*);
    /* "weight", "bias", "scale", "norm" or "buffer" (not trained). */
    topress_status (*parameter_role)(const topress_model*,
                                     const char* name,
                                     const char** role,
                                     topress_error*);
    /* Replaces it by a tensor of any shape, detached, on the network's device. */
    topress_status (*set_parameter)(topress_model*,
                                    const char* name,
                                    const topress_tensor* tensor,
                                    topress_error*);
    /* `role`: as parameter_role gives it. */
    topress_status (*add_parameter)(topress_model*,
                                    const char* name,
                                    const char* role,
                                    const topress_tensor* tensor,
                                    topress_error*);

    /* Editing. An edit that would break the network is INVALID_ARGUMENT and changes nothing. */

    /* Inserts directly after the last node that produces one of its inputs. `op` is a built-in
     * operator or one registered with topress.ops/1. */
    topress_status (*add_node)(topress_model*,
                               const char* name,
                               const char* op,
                               const char* const* inputs,
                               uint64_t input_count,
                               const char* const* outputs,
                               uint64_t output_count,
                               const topress_value* attributes,
                               uint64_t attribute_count,
                               topress_error*);
    /* The node reads `value` instead; it must be defined before the node. */
    topress_status (*replace_input)(
        topress_model*, const char* node, uint64_t index, const char* value, topress_error*);
    /* Whoever reads `value` (nodes, exits, the main output) reads `with` instead, except the nodes
     * that `with` itself is made from. INVALID_ARGUMENT when a reader stands before `with`. */
    topress_status (*replace_uses)(topress_model*,
                                   const char* value,
                                   const char* with,
                                   topress_error*);
    /* Removes a node whose outputs nobody uses, with the parameters that only it used. */
    topress_status (*remove_node)(topress_model*, const char* name, topress_error*);

    /* Exits, in the order in which they are reached. */

    /* Number of exits, without the main output. */
    uint64_t (*exit_count)(const topress_model*);
    /* The exit at `index`; `out` borrows from the model. */
    topress_status (*exit)(const topress_model*, uint64_t index, topress_exit* out, topress_error*);
    /* Adds an exit at the logits that `exit` names. What it points to is copied. */
    topress_status (*attach_exit)(topress_model*, const topress_exit* exit, topress_error*);
    /* New threshold and share of an exit. */
    topress_status (*set_exit)(
        topress_model*, const char* name, double threshold, double share, topress_error*);
    /* Removes the exit and its head: nodes and parameters that nothing else needs. */
    topress_status (*remove_exit)(topress_model*, const char* name, topress_error*);

    /* Channel groups: all parameter dimensions that share one channel index. Groups that touch the
     * input or an output are not listed: they cannot be pruned. */

    /* Number of groups. */
    uint64_t (*group_count)(const topress_model*);
    /* Name, number of channels and number of members of the group at `index`. */
    topress_status (*group)(const topress_model*,
                            uint64_t index,
                            const char** name,
                            uint64_t* channels,
                            uint64_t* members,
                            topress_error*);
    /* Dimension `dim` of `parameter` is indexed by channel * repeat + r, 0 <= r < repeat, from
     * `offset` on. */
    topress_status (*group_member)(const topress_model*,
                                   uint64_t index,
                                   uint64_t member,
                                   const char** parameter,
                                   uint64_t* dim,
                                   uint64_t* repeat,
                                   uint64_t* offset,
                                   topress_error*);
    /* Keeps these channels (ascending) and physically removes the others. */
    topress_status (*keep_channels)(
        topress_model*, const char* group, const int64_t* channels, uint64_t count, topress_error*);

    /* Whole networks. `out` of clone, variant and load is released with destroy(). */

    /* A copy that shares nothing. */
    topress_status (*clone)(const topress_model*, topress_model** out, topress_error*);
    /* Releases a network of clone, variant or load; null does nothing. */
    void (*destroy)(topress_model*);
    /* Makes `target` the same network as `source` (copied). */
    topress_status (*assign)(topress_model* target, const topress_model* source, topress_error*);
    /* A freshly initialised network of the same family as `model`, with settings replaced ("depth",
     * "width"). */
    topress_status (*variant)(const topress_model*,
                              const topress_value* settings,
                              uint64_t count,
                              uint64_t seed,
                              topress_model** out,
                              topress_error*);
    /* Reads a network that save wrote. */
    topress_status (*load)(const char* path, topress_model** out, topress_error*);
    /* Writes the network as a safetensors file. */
    topress_status (*save)(const topress_model*, const char* path, topress_error*);
    /* A setting the network was built with ("family", "depth"), NOT_FOUND if it has none. */
    topress_status (*setting)(const topress_model*,
                              const char* name,
                              topress_value* out,
                              topress_error*);

    /* Cost of one sample; node_macs gives 0 for what counts nothing. */

    /* Of the whole network as it is now. */
    topress_status (*cost)(const topress_model*, topress_cost* out, topress_error*);
    /* MACs of one node for one sample. */
    topress_status (*node_macs)(const topress_model*,
                                const char* node,
                                double* macs,
                                topress_error*);

    /* Running. */

    /* Runs a batch (N,C,H,W) without gradients in evaluation mode. `outputs` are `count` live
     * tensors that are assigned: exits in order, then the main output; count = exit_count + 1. */
    topress_status (*forward)(topress_model*,
                              const topress_tensor* input,
                              topress_tensor* const* outputs,
                              uint64_t count,
                              topress_error*);
    /* As forward, in evaluation mode, and hands every value named in `values` to `observe`. */
    topress_status (*observe)(topress_model*,
                              const topress_tensor* input,
                              const char* const* values,
                              uint64_t count,
                              topress_tensor* const* outputs,
                              topress_error*);
} topress_model_v1;

/* ---- topress.data/1: batches of the training and the validation split --------------------------
 * The test split is not reachable from a plugin, on purpose. */

/* Id of topress_data_v1, asked of the host. */
#define TOPRESS_DATA_1 "topress.data/1"

enum {
    /* Of classes: softmax and cross entropy. */
    TOPRESS_LOSS_CROSS_ENTROPY = 0,
    /* Of numbers: mean of the squared errors. */
    TOPRESS_LOSS_MSE = 1,
    /* Of numbers: mean of the absolute errors. */
    TOPRESS_LOSS_MAE = 2,
    /* Of numbers: half the square up to an error of 1, then the error less a half. */
    TOPRESS_LOSS_HUBER = 3
};

enum {
    /* What is trained on. */
    TOPRESS_SPLIT_TRAIN = 0,
    /* Held out of the training set: it decides, and is not trained on. */
    TOPRESS_SPLIT_VALIDATION = 1
};

/* The data set of the run. */
typedef struct topress_data_info {
    uint32_t struct_size;
    uint32_t classes;                 /* labels are 0 to classes - 1; 0: they are numbers */
    uint32_t channels, height, width; /* of one picture, in pixels where it is a length */
    uint32_t loss;                    /* TOPRESS_LOSS_..., of the run's own training */
    uint64_t train_samples, validation_samples; /* in each split */
} topress_data_info;

/* Reading batches. No entry is null. [run thread, within apply or what it calls] */
typedef struct topress_data_v1 {
    uint32_t struct_size;
    /* Classes, picture size and numbers of samples. */
    topress_status (*info)(topress_run*, topress_data_info* out, topress_error*);
    /* `augment` != 0 shuffles and augments from `seed`; 0 reads in file order. Batch size 0 = the
     * run's. */
    topress_status (*open)(topress_run*,
                           int32_t split,
                           uint64_t batch_size,
                           int32_t augment,
                           uint64_t seed,
                           topress_reader** out,
                           topress_error*);
    /* images (N,C,H,W) float normalised, labels (N) int64 or, for regression, (N,D) float in the
     * unit that the network answers in: mean 0 and deviation 1 over the training set. Both on the
     * stage's device; *more = 0 after the last batch (then nothing is assigned). */
    topress_status (*next)(topress_reader*,
                           topress_tensor* images,
                           topress_tensor* labels,
                           int32_t* more,
                           topress_error*);
    /* Releases a reader, at any point of its split; null does nothing. */
    void (*close)(topress_reader*);
} topress_data_v1;

/* ---- topress.training/1: the host's training loop ------------------------------------------- */

/* Id of topress_training_v1, asked of the host. */
#define TOPRESS_TRAINING_1 "topress.training/1"

/* What a loss sees of one step. Tensors are borrowed. `outputs`: logits (N,C) of the exits in
 * order, then of the main output, detached; `teacher`: the teacher's main logits (N,C), null
 * without one. For regression the outputs are the numbers themselves. */
typedef struct topress_loss_input {
    uint32_t struct_size;
    uint32_t output_count;                /* elements of outputs */
    const topress_tensor* const* outputs; /* see above */
    const topress_tensor* teacher;        /* see above */
    const topress_tensor* labels;         /* (N) int64, or (N,D) float for regression */
    const topress_tensor* images;         /* (N,C,H,W) as the network got them */
    uint64_t step, steps;                 /* of the whole fit */
} topress_loss_input;

/* Writes the mean loss as a scalar tensor and d loss / d output for every output (a tensor left
 * undefined means no gradient). [run thread] */
typedef topress_status (*topress_loss_function)(void* context,
                                                const topress_loss_input* input,
                                                topress_tensor* loss,
                                                topress_tensor* const* gradients,
                                                topress_error* error);

/* Called after the gradients are there and before the optimizer's step (or, as step hook, after
 * it). [run thread] */
typedef topress_status (*topress_step_function)(
    void* context, topress_model* model, uint64_t step, uint64_t steps, topress_error* error);

/* How some parameters are trained: of one role, or one by its exact name. */
typedef struct topress_parameter_group {
    uint32_t struct_size;
    uint32_t reserved;
    const char* role;            /* parameters of this role ("scale"); null = by name */
    const char* name;            /* exact parameter name; null = by role */
    double learning_rate_factor; /* 0 = frozen */
    double weight_decay;         /* NaN = the run's */
} topress_parameter_group;

/* How to train. All zero except `struct_size` trains nothing: `epochs` is 0. */
typedef struct topress_fit_options {
    uint32_t struct_size;
    int32_t freeze_statistics;  /* != 0: batch norm uses and keeps its running statistics */
    double epochs;              /* may be a fraction */
    double learning_rate;       /* NaN or 0 = the run's */
    double label_smoothing;     /* of the default loss, NaN = the run's */
    const char* phase;          /* shown in progress and curves, "fine-tune" */
    uint64_t seed;              /* of shuffling and augmentation */
    topress_model* teacher;     /* null = none; run in evaluation mode, never trained */
    topress_loss_function loss; /* null = the run's, mean over all outputs */
    void* loss_context;         /* loss's first argument */
    topress_step_function after_backward;  /* optional; default none */
    topress_step_function after_step;      /* optional; default none */
    void* step_context;                    /* first argument of both hooks */
    const topress_parameter_group* groups; /* null = every parameter at the run's rate */
    uint64_t group_count;                  /* elements of groups */
    int32_t freeze_others;                 /* != 0: parameters that no group names are frozen */
    int32_t reserved;
    double learning_rate_factor; /* of the run's, used when learning_rate is not given; 0 counts as
                                    1 */
} topress_fit_options;

/* What a fit did. */
typedef struct topress_fit_report {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t steps;    /* of the optimizer */
    double final_loss; /* mean of the last epoch */
    double seconds;    /* wall clock */
} topress_fit_report;

/* What an evaluation found. */
typedef struct topress_evaluation {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t samples;          /* that were evaluated */
    double accuracy;           /* 0..1, with exits as the network would answer; R2 for regression */
    double loss;               /* mean of the run's loss */
    uint64_t exit_count;       /* of the network, without the main output */
    const double* exit_shares; /* share of the samples that left at each exit, in order; borrowed
                                  until the next evaluate with this run */
} topress_evaluation;

/* Training and measuring. No entry is null. [run thread, within apply] */
typedef struct topress_training_v1 {
    uint32_t struct_size;
    /* Trains `model` in place; CANCELLED when the user interrupts. */
    topress_status (*fit)(topress_run*,
                          topress_model*,
                          const topress_fit_options*,
                          topress_fit_report* out,
                          topress_error*);
    /* On the validation split. */
    topress_status (*evaluate)(topress_run*,
                               topress_model*,
                               topress_evaluation* out,
                               topress_error*);
    /* Batch-norm running statistics anew from `batches` training batches. */
    topress_status (*update_statistics)(topress_run*,
                                        topress_model*,
                                        uint64_t batches,
                                        topress_error*);
} topress_training_v1;

/* ---- topress.run/1: log, progress, cancellation, random numbers, artefacts ---------------------
 */

/* Id of topress_run_v1, asked of the host. */
#define TOPRESS_RUN_1 "topress.run/1"

enum {
    TOPRESS_LOG_TRACE = 0, /* shapes and timings */
    TOPRESS_LOG_DEBUG = 1, /* decisions with reasons */
    TOPRESS_LOG_INFO = 2,  /* one line a step */
    TOPRESS_LOG_WARN = 3,  /* the result may differ from what was asked */
    TOPRESS_LOG_ERROR = 4  /* the stage is going to fail */
};

/* The stage that is running. No entry is null. [run thread, within apply or what it calls] */
typedef struct topress_run_v1 {
    uint32_t struct_size;
    /* One line; the host adds the stage. [any thread] */
    void (*log)(topress_run*, int32_t level, const char* message);
    /* done of total, and a short text; total 0 = unknown. [run thread] */
    void (*progress)(topress_run*, uint64_t done, uint64_t total, const char* what);
    /* != 0: the user wants to stop; return TOPRESS_ERROR_CANCELLED soon. [any thread] */
    int32_t (*cancelled)(topress_run*);
    /* Next number of the stage's own generator, seeded from the run's seed and the label. [run
     * thread] */
    uint64_t (*random)(topress_run*);
    /* Existing folder for files of this stage. */
    const char* (*artefact_directory)(topress_run*);
    /* One named figure for ledger and report ("removed_channels_ratio"). */
    void (*metric)(topress_run*, const char* name, double value);
} topress_run_v1;

/* ---- topress.ops/1: operators of a plugin, faster implementations of built-in ones -------------
 */

/* Id of topress_ops_v1, asked of the host. */
#define TOPRESS_OPS_1 "topress.ops/1"

/* A node as the rules of an operator see it; borrowed for the call. */
typedef struct topress_node {
    uint32_t struct_size;
    uint32_t attribute_count;        /* elements of attributes */
    const char* name;                /* in the network */
    const char* op;                  /* id of its operator */
    const topress_value* attributes; /* as given to add_node */
} topress_node;

/* Shape of a value without the batch dimension; of a parameter its whole shape. */
typedef struct topress_shape {
    uint32_t struct_size;
    uint32_t rank;    /* sizes that count, at most 8 */
    int64_t sizes[8]; /* the first rank are read */
} topress_shape;

/* How channel indices pass through an operator. */
enum {
    /* Channels of its inputs and of its output stay as they are. */
    TOPRESS_CHANNELS_BLOCKED = 0,
    /* Channel i of the output is made from channel i of every activation input, and from element i
     * of every parameter of shape (channels). In a weight made from parameters alone, every
     * parameter of the output's shape shares all its dimensions with the output. */
    TOPRESS_CHANNELS_ELEMENTWISE = 1,
    /* The output has no channel of its inputs (a sum over all of them): they may be removed, those
     * of the output stay. No parameter is indexed by a channel. */
    TOPRESS_CHANNELS_NONE = 2
};

/* Cost of one sample. */
typedef struct topress_operator_cost {
    uint32_t struct_size;
    int32_t weight_bits;     /* at which its MACs read weights, 1 to 32; 0 = 32 */
    int32_t activation_bits; /* and activations; 0 = the precision of its first input */
    int32_t output_bits;     /* that a reader of its output has to count; 0 = 32 */
    double macs;             /* multiply-accumulates */
} topress_operator_cost;

/* An operator that the host does not know. It lives within one stage: when the technique returns,
 * the host calls `lower` for every node that is left, compares forward with what `lower` put in its
 * place on seeded inputs, and fails the stage when they differ (check/lowering-differs) or no
 * built-in replaced it (check/not-lowered). A saved network never holds one. One output. All
 * functions: [run thread, backward: any thread] */
typedef struct topress_operator {
    uint32_t struct_size;
    int32_t channels;        /* TOPRESS_CHANNELS_... */
    const char* id;          /* begins with the plugin's id: "org.example.cluster.lookup" */
    uint32_t minimum_inputs; /* as maximum_inputs */
    uint32_t maximum_inputs; /* activations first, then parameters */
    void* context;           /* handed to every function; lives as long as the process */
    /* Writes the shape of the output, or fails for inputs the operator cannot take. */
    topress_status (*shape)(void* context,
                            const topress_node* node,
                            const topress_shape* inputs,
                            uint64_t input_count,
                            topress_shape* output,
                            topress_error*);
    /* `training` != 0 within a fit. Without `backward` autograd records what happens here, so that
     * a composition of differentiable operations needs none; with it nothing is recorded. */
    topress_status (*forward)(void* context,
                              const topress_node* node,
                              const topress_tensor* const* inputs,
                              uint64_t input_count,
                              int32_t training,
                              topress_tensor* output,
                              topress_error*);
    /* Optional, null = autograd. Writes d loss / d input for every input; a tensor left undefined
     * means no gradient. */
    topress_status (*backward)(void* context,
                               const topress_node* node,
                               const topress_tensor* grad_output,
                               const topress_tensor* const* inputs,
                               uint64_t input_count,
                               topress_tensor* const* grad_inputs,
                               topress_error*);
    /* Optional, null = costs nothing. `out` comes filled with zeros. */
    topress_status (*cost)(void* context,
                           const topress_node* node,
                           const topress_shape* inputs,
                           uint64_t input_count,
                           const topress_shape* output,
                           topress_operator_cost* out,
                           topress_error*);
    /* Rewrites this node of `model` into built-in operators: adds what replaces it, gives its
     * readers the new value (replace_uses), removes it. */
    topress_status (*lower)(void* context, topress_model* model, const char* node, topress_error*);
} topress_operator;

/* Fake quantization (LSQ). x: value to quantize, channel axis `axis` or -1 = per tensor;
 * scale: (channels) or (1); y = clamp(round_half_even(x / scale), low, high) * scale. */
typedef struct topress_quantize_implementation {
    uint32_t struct_size;
    uint32_t reserved;
    /* Writes y. UNSUPPORTED leaves this call to the built-in. [run thread] */
    topress_status (*forward)(const topress_tensor* x,
                              const topress_tensor* scale,
                              int64_t low,
                              int64_t high,
                              int64_t axis,
                              topress_tensor* y,
                              topress_error*);
    /* Writes both gradients; grad_scale already carries `gradient_factor`. [any thread] */
    topress_status (*backward)(const topress_tensor* grad_y,
                               const topress_tensor* x,
                               const topress_tensor* scale,
                               int64_t low,
                               int64_t high,
                               int64_t axis,
                               double gradient_factor,
                               topress_tensor* grad_x,
                               topress_tensor* grad_scale,
                               topress_error*);
} topress_quantize_implementation;

/* Exit gate. logits (N,C) -> leave: ascending int64 indices of the samples whose criterion is >=
 * threshold, stay: the others. */
typedef struct topress_exit_gate_implementation {
    uint32_t struct_size;
    uint32_t reserved;
    /* Writes both index tensors. UNSUPPORTED leaves this call to the built-in. [run thread] */
    topress_status (*gate)(const topress_tensor* logits,
                           const char* criterion,
                           double threshold,
                           topress_tensor* leave,
                           topress_tensor* stay,
                           topress_error*);
} topress_exit_gate_implementation;

/* What a plugin may add to the operators of the host. [init] */
typedef struct topress_ops_v1 {
    uint32_t struct_size;
    /* The table is copied; used while the process lives, after a check against the built-in. An
     * implementation that disagrees is refused with FAILED. [init] */
    topress_status (*implement_quantize)(const topress_quantize_implementation*, topress_error*);
    /* As implement_quantize, compared by exact indices. [init] */
    topress_status (*implement_exit_gate)(const topress_exit_gate_implementation*, topress_error*);
    /* The table is copied. FAILED when another operator has this id, INVALID_ARGUMENT when the id
     * is not of the form above or a function is missing. [init] */
    topress_status (*register_operator)(const topress_operator*, topress_error*);
} topress_ops_v1;

#ifdef __cplusplus
}
#endif

#endif
